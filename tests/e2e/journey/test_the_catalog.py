"""What people ask after a run: saved queries, look-ups, outcomes of past predictions, expiry."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest

from tests.e2e.journey.queries import rows, run
from tests.e2e.localcloud.conftest import eventually

OLD_VERSIONS = 12
"""More than the policy keeps."""


@pytest.fixture(scope="module")
def names(bare_platform) -> dict[str, str]:
    return {**bare_platform.outputs("Foundation"), **bare_platform.outputs("DataPipeline")}


@pytest.fixture(scope="module")
def latest(bare_platform, names) -> str:
    key = {"pk": {"S": f"DATASET#{names['UseCase']}"}, "sk": {"S": "LATEST"}}
    client = bare_platform.client("dynamodb")
    return client.get_item(TableName=names["MetadataTableName"], Key=key)["Item"]["dataset_id"]["S"]


def saved(athena, names) -> dict[str, str]:
    pages = athena.get_paginator("list_named_queries").paginate(WorkGroup=names["WorkGroupName"])
    ids = [each for page in pages for each in page["NamedQueryIds"]]
    found = [athena.get_named_query(NamedQueryId=each)["NamedQuery"] for each in ids]
    return {each["Name"]: each["QueryString"] for each in found}


def function(platform, folder: str) -> str:
    """Find the function of a folder of `lambdas/data_pipeline/`."""
    pages = platform.client("lambda").get_paginator("list_functions").paginate()
    (name,) = [f["FunctionName"] for page in pages for f in page["Functions"]
               if f["Handler"].startswith(f"lambdas.data_pipeline.{folder}.")]  # fmt: skip
    return name


def invoke(platform, name: str, event: dict[str, Any]) -> dict[str, Any]:
    answer = platform.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    content = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, content
    return content


def test_every_saved_query_runs_and_gives_rows(bare_platform, names):
    athena, s3 = bare_platform.client("athena"), bare_platform.client("s3")
    queries = saved(athena, names)
    assert len(queries) >= 8
    for name, sql in queries.items():
        execution = run(athena, names, sql)
        found = rows(athena, execution)
        assert found, name
        location = execution["ResultConfiguration"]["OutputLocation"]
        assert location.startswith(f"s3://{names['AnalyticsBucketName']}/athena/"), name
        key = location.split("/", 3)[3]
        body = s3.get_object(Bucket=names["AnalyticsBucketName"], Key=key)["Body"].read().decode()
        assert len(list(csv.DictReader(io.StringIO(body)))) == len(found), name


def test_the_catalog_counts_what_the_manifest_counts(bare_platform, names, latest):
    athena, s3 = bare_platform.client("athena"), bare_platform.client("s3")
    bucket = names["ModelInputBucketName"]
    body = s3.get_object(Bucket=bucket, Key=f"datasets/{latest}/manifest.json")["Body"].read()
    manifest = json.loads(body)

    found = rows(
        athena,
        run(
            athena, names,
            "SELECT split, count(*) AS n FROM datasets WHERE dataset = ? GROUP BY split",
            ExecutionParameters=[f"'{latest}'"],
        ),
    )  # fmt: skip

    assert {row["split"]: int(row["n"]) for row in found} == manifest["rows"]
    (outcomes,) = rows(athena, run(athena, names, "SELECT count(*) AS n FROM labels"))
    assert int(outcomes["n"]) == sum(manifest["rows"].values())


def test_a_caller_needs_the_data_not_only_the_query(bare_platform, names):
    """Athena reads as its caller: who may query but not read gets nothing."""
    iam = bare_platform.client("iam")
    iam.create_user(UserName="analyst")
    allowed = {"Effect": "Allow", "Action": ["athena:*", "glue:*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="analyst", PolicyName="query", PolicyDocument=policy)
    key = iam.create_access_key(UserName="analyst")["AccessKey"]
    try:
        athena = boto3.client(
            "athena",
            region_name=bare_platform.environment["AWS_DEFAULT_REGION"],
            endpoint_url=bare_platform.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            verify=bare_platform.environment["AWS_CA_BUNDLE"],
        )
        status = run(athena, names, "SELECT count(*) FROM labels")["Status"]
    finally:
        iam.delete_access_key(UserName="analyst", AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName="analyst", PolicyName="query")
        iam.delete_user(UserName="analyst")
    assert status["State"] == "FAILED"
    assert "Insufficient permissions" in status["StateChangeReason"]


def test_a_query_of_what_is_not_there_fails_and_names_it(bare_platform, names):
    status = run(bare_platform.client("athena"), names, "SELECT * FROM no_such_table")["Status"]
    assert status["State"] == "FAILED"
    assert "no_such_table" in status["StateChangeReason"]


def test_a_look_up_finds_the_row_that_the_table_holds(bare_platform, names, latest):
    dynamodb, s3 = bare_platform.client("dynamodb"), bare_platform.client("s3")
    table, use_case = names["AnalyticsTableName"], names["UseCase"]
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=names["AnalyticsBucketName"], Prefix="analytics/"
    )
    keys = [each["Key"] for page in pages for each in page["Contents"]]
    mine = [key for key in keys if f"dataset={latest}/" in key]
    assert mine
    for key in mine:
        name = key.split("/")[1]
        pointer = {"pk": {"S": f"{use_case}#{name}"}, "sk": {"S": "CURRENT"}}
        current = dynamodb.get_item(TableName=table, Key=pointer)["Item"]["dataset_id"]["S"]
        assert current == latest
        body = s3.get_object(Bucket=names["AnalyticsBucketName"], Key=key)["Body"].read()
        wanted = pq.read_table(io.BytesIO(body), partitioning=None).to_pylist()
        found = dynamodb.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"{use_case}#{name}#{current}"}},
        )
        items = [item for page in found for item in page["Items"]]
        assert len(items) == len(wanted), name
        written = {json.dumps(_plain(item), sort_keys=True) for item in items}
        assert written == {json.dumps(_known(row), sort_keys=True) for row in wanted}, name


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {
        name: float(value["N"]) if "N" in value else value["S"]
        for name, value in item.items()
        if name not in ("pk", "sk")
    }


def _known(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str) else float(value)
        for name, value in row.items()
        if value is not None
    }


def test_a_prediction_gets_its_outcome_when_that_is_known(bare_platform, names, latest):
    s3 = bare_platform.client("s3")
    key = f"datasets/{latest}/sample_requests.jsonl"
    body = s3.get_object(Bucket=names["ModelInputBucketName"], Key=key)["Body"].read()
    sample = json.loads(body.splitlines()[0])
    request = {
        "instances": [sample["instance"]] * 2,
        "references": [sample["entity_id"], "an-entity-of-tomorrow"],
    }
    answer = bare_platform.http("POST", "/predictions", json.dumps(request).encode())
    assert answer.status_code == 200, answer.text
    known, unknown = [each["prediction_id"] for each in answer.json()["predictions"]]
    logged = eventually(
        lambda: bare_platform.http("GET", f"/predictions/{unknown}"), lambda a: a.status_code == 200
    )
    assert logged.json()["outcome"] is None
    assert bare_platform.http("GET", f"/predictions/{known}").json()["outcome"] is None

    joined = invoke(bare_platform, function(bare_platform, "join_outcomes"), {"cursor": ""})

    assert joined["joined"] >= 1
    found = bare_platform.http("GET", f"/predictions/{known}").json()
    assert found["reference"] == sample["entity_id"]
    assert found["outcome"]["label"] == sample["label"]
    assert found["outcome"]["known_at"]
    waiting = bare_platform.http("GET", f"/predictions/{unknown}").json()
    assert waiting["outcome"] is None
    again = invoke(bare_platform, function(bare_platform, "join_outcomes"), {"cursor": ""})
    assert again["joined"] == 0


def test_old_versions_expire_and_what_is_rested_on_stays(bare_platform, names, latest):
    dynamodb, s3 = bare_platform.client("dynamodb"), bare_platform.client("s3")
    glue = bare_platform.client("glue")
    table, partition = names["MetadataTableName"], f"DATASET#{names['UseCase']}"
    bucket = names["ModelInputBucketName"]
    made = [f"old-{number:02d}" for number in range(OLD_VERSIONS)]
    for number, name in enumerate(made):
        published = f"2020-01-{number + 1:02d}T00:00:00.000Z"
        item = {"pk": partition, "sk": name, "dataset_id": name, "published_at": published}
        dynamodb.put_item(TableName=table, Item={k: {"S": v} for k, v in item.items()})
    oldest = made[0]
    for path in ("manifest.json", "split=train/period=2012-01/data.parquet"):
        s3.put_object(Bucket=bucket, Key=f"datasets/{oldest}/{path}", Body=b"{}")
    analytics = f"analytics/delay_by_day/dataset={oldest}/data.parquet"
    s3.put_object(Bucket=names["AnalyticsBucketName"], Key=analytics, Body=b"x")
    storage = glue.get_table(DatabaseName=names["DatabaseName"], Name="datasets")["Table"]
    glue.create_partition(
        DatabaseName=names["DatabaseName"],
        TableName="datasets",
        PartitionInput={
            "Values": [oldest, "train", "2012-01"],
            "StorageDescriptor": storage["StorageDescriptor"],
        },
    )

    tried = invoke(bare_platform, names["RetentionFunctionName"], {"dry_run": True})
    done = invoke(bare_platform, names["RetentionFunctionName"], {})
    again = invoke(bare_platform, names["RetentionFunctionName"], {})

    try:
        assert oldest in tried["expired"]
        assert done["expired"] == tried["expired"]
        assert latest not in done["expired"]
        assert again["expired"] == []
        assert s3.list_objects_v2(Bucket=bucket, Prefix=f"datasets/{oldest}/")["KeyCount"] == 0
        assert s3.list_objects_v2(Bucket=bucket, Prefix=f"datasets/{latest}/")["KeyCount"] > 0
        left = s3.list_objects_v2(Bucket=names["AnalyticsBucketName"], Prefix=analytics)
        assert left["KeyCount"] == 0
        found = glue.get_partitions(DatabaseName=names["DatabaseName"], TableName="datasets")
        assert {each["Values"][0] for each in found["Partitions"]} >= {latest}
        assert oldest not in {each["Values"][0] for each in found["Partitions"]}
    finally:
        for name in made:
            key = {"pk": {"S": partition}, "sk": {"S": name}}
            dynamodb.delete_item(TableName=table, Key=key)
