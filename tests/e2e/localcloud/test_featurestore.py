"""Feature Store through boto3 and the AWS CLI: groups, records, roles, the offline store."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.e2e.localcloud.conftest import ACCOUNT, Cloud, allow

FEATURES = {"id": "String", "at": "String", "count": "Integral", "share": "Fractional"}
GROUPS = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:feature-group"


def at(second: int) -> str:
    return f"2013-05-01T10:00:{second:02d}Z"


def given(**values: str) -> list[dict[str, str]]:
    return [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]


def values(record: list[dict[str, str]]) -> dict[str, str]:
    return {each["FeatureName"]: each["ValueAsString"] for each in record}


@pytest.fixture
def bucket(cloud) -> str:
    return cloud.bucket()


@pytest.fixture
def role(cloud, bucket) -> str:
    rights = [
        allow("s3:GetBucketAcl", f"arn:aws:s3:::{bucket}"),
        allow("s3:PutObject", f"arn:aws:s3:::{bucket}/features/*"),
    ]
    return cloud.role("sagemaker.amazonaws.com", *rights)


@pytest.fixture
def declaration(cloud, bucket, role) -> dict[str, Any]:
    name = cloud.name("trips")
    return {
        "FeatureGroupName": name,
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": [
            {"FeatureName": feature, "FeatureType": kind} for feature, kind in FEATURES.items()
        ],
        "OnlineStoreConfig": {"EnableOnlineStore": True},
        "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": f"s3://{bucket}/features"}},
        "RoleArn": role,
    }


@pytest.fixture
def group(cloud, declaration) -> str:
    cloud.client("sagemaker").create_feature_group(**declaration)
    return declaration["FeatureGroupName"]


@pytest.fixture
def records(cloud):
    return cloud.client("sagemaker-featurestore-runtime")


def read(records, group: str, identifier: str = "a") -> dict[str, str]:
    answer = records.get_record(FeatureGroupName=group, RecordIdentifierValueAsString=identifier)
    return values(answer.get("Record", []))


def put(records, group: str, second: int, **more: str) -> None:
    records.put_record(FeatureGroupName=group, Record=given(id="a", at=at(second), **more))


def offline_rows(cloud, group: str) -> list[dict[str, Any]]:
    described = cloud.client("sagemaker").describe_feature_group(FeatureGroupName=group)
    uri = described["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"]
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    s3, rows = cloud.client("s3"), []
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        rows += pq.read_table(io.BytesIO(body), partitioning=None).to_pylist()
    return rows


def refused(call, code: str, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value.response["Error"]["Message"]


def test_a_group_is_described_listed_changed_and_deleted(cloud, declaration, group, records):
    sagemaker = cloud.client("sagemaker")
    described = sagemaker.describe_feature_group(FeatureGroupName=group)
    assert described["FeatureGroupStatus"] == "Created"
    assert described["OfflineStoreStatus"] == {"Status": "Active"}
    resolved = described["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"]
    stamp = int(described["CreationTime"].timestamp())
    assert resolved.endswith(
        f"/features/{ACCOUNT}/sagemaker/us-east-1/offline-store/{group}-{stamp}/data"
    )
    listed = sagemaker.list_feature_groups(NameContains=group)["FeatureGroupSummaries"]
    assert [each["FeatureGroupName"] for each in listed] == [group]
    again = refused(sagemaker.create_feature_group, "ResourceInUse", **declaration)
    assert group in again
    put(records, group, 1)
    refused(put, "ValidationError", records=records, group=group, second=2, speed="1.5")
    more = [{"FeatureName": "speed", "FeatureType": "Fractional"}]
    sagemaker.update_feature_group(FeatureGroupName=group, FeatureAdditions=more)
    put(records, group, 2, speed="1.5")
    assert read(records, group)["speed"] == "1.5"
    feature = sagemaker.describe_feature_metadata(FeatureGroupName=group, FeatureName="speed")
    assert feature["FeatureType"] == "Fractional"
    sagemaker.delete_feature_group(FeatureGroupName=group)
    refused(sagemaker.describe_feature_group, "ResourceNotFound", FeatureGroupName=group)
    refused(read, "ResourceNotFound", records=records, group=group)
    sagemaker.create_feature_group(**declaration)
    assert read(records, group) == {}


def test_an_older_record_never_replaces_a_newer_one_and_is_kept_offline(
    cloud, group, records, wait_until
):
    put(records, group, 5, count="5")
    put(records, group, 3, count="3")
    assert read(records, group)["count"] == "5"
    rows = wait_until(lambda: offline_rows(cloud, group), lambda rows: len(rows) == 2)
    assert sorted(row["count"] for row in rows) == [3, 5]
    assert not any(row["is_deleted"] for row in rows)
    assert all(row["write_time"] >= row["api_invocation_time"] for row in rows)


def test_puts_from_sixteen_threads_end_in_the_newest(group, records):
    seconds = [number * 37 % 60 for number in range(240)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: put(records, group, n, count=str(n)), seconds))
    assert read(records, group)["count"] == "59"


def test_deletion_soft_and_hard(cloud, group, records, wait_until):
    delete = records.delete_record
    put(records, group, 5)
    named = {"FeatureGroupName": group, "RecordIdentifierValueAsString": "a"}
    delete(**named, EventTime=at(4))
    assert read(records, group)
    delete(**named, EventTime=at(6))
    assert read(records, group) == {}
    put(records, group, 5)
    assert read(records, group) == {}
    shown = records.list_records(FeatureGroupName=group, IncludeSoftDeletedRecords=True)
    assert shown["RecordIdentifiers"] == ["a"]
    put(records, group, 7)
    said = refused(delete, "ValidationError", **named, EventTime=at(7), DeletionMode="HardDelete")
    assert "EventTime" in said
    delete(**named, EventTime=at(8), DeletionMode="HardDelete")
    put(records, group, 1)
    assert read(records, group)
    rows = wait_until(lambda: offline_rows(cloud, group), lambda rows: len(rows) == 7)
    markers = sorted(row["at"] for row in rows if row["is_deleted"])
    assert markers == [at(4), at(6), at(8)]


def test_a_lifetime_ends_a_record_and_is_told_if_asked(group, records):
    decade = {"Unit": "Weeks", "Value": 5000}
    record = given(id="a", at=at(1), count="1")
    records.put_record(FeatureGroupName=group, Record=record, TtlDuration=decade)
    answer = records.get_record(
        FeatureGroupName=group,
        RecordIdentifierValueAsString="a",
        FeatureNames=["count"],
        ExpirationTimeResponse="Enabled",
    )
    assert values(answer["Record"]) == {"count": "1"}
    assert answer["ExpiresAt"] == "2109-02-27T10:00:01Z"
    day = {"Unit": "Days", "Value": 1}
    newer = given(id="a", at=at(2))
    records.put_record(FeatureGroupName=group, Record=newer, TtlDuration=day)
    assert read(records, group) == {}


def test_a_batch_writes_what_is_good_and_says_what_is_not(cloud, group, records):
    entries = [
        {"FeatureGroupName": group, "Record": given(id="a", at=at(1), share="0.5")},
        {"FeatureGroupName": group, "Record": given(id="b", at=at(1), share="half")},
        {"FeatureGroupName": "nowhere", "Record": given(id="c", at=at(1))},
    ]
    answer = records.batch_write_record(Entries=entries)
    codes = [error["ErrorCode"] for error in answer["Errors"]]
    assert codes == ["ValidationError", "ResourceNotFound"]
    assert answer["Errors"][0]["Entry"] == entries[1]
    assert "half" in answer["Errors"][0]["ErrorMessage"]
    asked = [
        {"FeatureGroupName": group, "RecordIdentifiersValueAsString": ["a", "b"]},
        {"FeatureGroupName": "nowhere", "RecordIdentifiersValueAsString": ["c"]},
    ]
    found = records.batch_get_record(Identifiers=asked)
    assert [each["RecordIdentifierValueAsString"] for each in found["Records"]] == ["a"]
    assert [each["ErrorCode"] for each in found["Errors"]] == ["ResourceNotFound"]
    assert found["UnprocessedIdentifiers"] == []


def test_what_is_not_supported_is_refused_by_name(cloud, declaration, group, records):
    update = {"RecordIdentifierValueAsString": "a", "Features": given(count="1")}
    refused(
        records.update_record, "UnsupportedOperationException", FeatureGroupName=group, **update
    )
    create = cloud.client("sagemaker").create_feature_group
    iceberg = {**declaration["OfflineStoreConfig"], "TableFormat": "Iceberg"}
    other = {**declaration, "FeatureGroupName": cloud.name("trips")}
    said = refused(create, "ValidationException", **{**other, "OfflineStoreConfig": iceberg})
    assert "Iceberg" in said
    memory = {"EnableOnlineStore": True, "StorageType": "InMemory"}
    said = refused(create, "ValidationException", **{**other, "OnlineStoreConfig": memory})
    assert "InMemory" in said


def test_a_caller_may_do_with_a_group_what_its_role_grants(cloud, group, records):
    writer = cloud.assume(allow(["sagemaker:PutRecord"], f"{GROUPS}/{group}"))
    runtime = cloud.client("sagemaker-featurestore-runtime", writer)
    put(runtime, group, 1)
    assert "GetRecord" in refused(read, "AccessDeniedException", records=runtime, group=group)
    entry = {"FeatureGroupName": group, "Record": given(id="a", at=at(2))}
    said = refused(runtime.batch_write_record, "AccessDeniedException", Entries=[entry])
    assert "sagemaker:BatchWriteRecord" in said


def test_a_role_that_may_not_write_blocks_the_offline_store_and_loses_nothing(
    cloud, group, declaration, records, wait_until
):
    iam, sagemaker = cloud.client("iam"), cloud.client("sagemaker")
    name = declaration["RoleArn"].rsplit("/", 1)[1]
    policy = iam.get_role_policy(RoleName=name, PolicyName="grants")["PolicyDocument"]
    iam.delete_role_policy(RoleName=name, PolicyName="grants")
    put(records, group, 1)

    def status() -> dict[str, str]:
        return sagemaker.describe_feature_group(FeatureGroupName=group)["OfflineStoreStatus"]

    blocked = wait_until(status, lambda status: status["Status"] == "Blocked")
    assert "AccessDenied" in blocked["BlockedReason"]
    iam.put_role_policy(RoleName=name, PolicyName="grants", PolicyDocument=json.dumps(policy))
    more = [{"FeatureName": "speed", "FeatureType": "Fractional"}]
    sagemaker.update_feature_group(FeatureGroupName=group, FeatureAdditions=more)
    wait_until(status, lambda status: status["Status"] == "Active", 90)
    assert [row["id"] for row in offline_rows(cloud, group)] == ["a"]


def test_the_offline_store_is_a_table_of_the_catalog(cloud, group):
    described = cloud.client("sagemaker").describe_feature_group(FeatureGroupName=group)
    where = described["OfflineStoreConfig"]["DataCatalogConfig"]
    assert (where["Catalog"], where["Database"]) == ("AwsDataCatalog", "sagemaker_featurestore")
    found = cloud.client("glue").get_table(DatabaseName=where["Database"], Name=where["TableName"])
    columns = {
        column["Name"]: column["Type"] for column in found["Table"]["StorageDescriptor"]["Columns"]
    }
    assert columns == {
        "id": "string",
        "at": "string",
        "count": "bigint",
        "share": "double",
        "write_time": "timestamp",
        "api_invocation_time": "timestamp",
        "is_deleted": "boolean",
    }


def test_the_aws_cli_puts_gets_and_deletes(cloud, group):
    def aws(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("aws")),
                *("sagemaker-featurestore-runtime", *arguments),
                *("--feature-group-name", group, "--output", "json"),
            ],
            env=cloud.client_variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "{}")

    aws("put-record", "--record", json.dumps(given(id="x/1 y", at=at(1), share="0.1")))
    found = aws("get-record", "--record-identifier-value-as-string", "x/1 y")
    assert values(found["Record"])["share"] == "0.1"
    named = ("--record-identifier-value-as-string", "x/1 y")
    aws("delete-record", *named, "--event-time", at(2))
    assert aws("get-record", *named) == {}


def test_records_are_written_fast_enough_for_a_backfill(group, records):
    count, started = 1000, time.monotonic()
    entries = [
        {"FeatureGroupName": group, "Record": given(id=str(n), at=at(1), count=str(n))}
        for n in range(count)
    ]
    for first in range(0, count, 25):
        answer = records.batch_write_record(Entries=entries[first : first + 25])
        assert not answer["Errors"]
    seconds = time.monotonic() - started
    assert len(records.list_records(FeatureGroupName=group)["RecordIdentifiers"]) == 100
    assert seconds < 20, f"{count / seconds:.0f} records a second"


def test_cloudformation_makes_a_group_adds_features_in_place_and_replaces_none(
    cloud, declaration, records
):
    clouds, name = cloud.client("cloudformation"), cloud.name("features")
    group = declaration["FeatureGroupName"]

    def template(**changes: Any) -> str:
        properties = {**declaration, **changes}
        resource = {"Type": "AWS::SageMaker::FeatureGroup", "Properties": properties}
        outputs = {
            "Name": {"Value": {"Ref": "Group"}},
            "Status": {"Value": {"Fn::GetAtt": ["Group", "FeatureGroupStatus"]}},
        }
        return json.dumps({"Resources": {"Group": resource}, "Outputs": outputs})

    def outputs() -> dict[str, str]:
        (stack,) = clouds.describe_stacks(StackName=name)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    clouds.create_stack(StackName=name, TemplateBody=template())
    clouds.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    assert outputs() == {"Name": group, "Status": "Created"}
    put(records, group, 1, count="1")
    speed = {"FeatureName": "speed", "FeatureType": "Fractional"}
    more = template(FeatureDefinitions=[*declaration["FeatureDefinitions"], speed])
    clouds.update_stack(StackName=name, TemplateBody=more)
    clouds.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    put(records, group, 2, speed="1")
    assert read(records, group)["speed"] == "1"
    clouds.update_stack(StackName=name, TemplateBody=template(Description="Another"))
    with pytest.raises(WaiterError):
        clouds.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    events = clouds.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [event.get("ResourceStatusReason", "") for event in events]
    assert any("requires replacing: Description" in reason for reason in reasons)
    assert read(records, group)["speed"] == "1"
    clouds.delete_stack(StackName=name)
    clouds.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    refused(read, "ResourceNotFound", records=records, group=group)


def test_what_waits_for_the_offline_store_is_written_before_the_end(tmp_path):
    state = Cloud(tmp_path / "state")
    state.command("up", "--port", "auto", check=True)
    bucket = state.bucket()
    rights = allow(["s3:GetBucketAcl", "s3:PutObject"])
    role = state.role("sagemaker.amazonaws.com", rights)
    features = [{"FeatureName": name, "FeatureType": kind} for name, kind in FEATURES.items()]
    state.client("sagemaker").create_feature_group(
        FeatureGroupName="trips",
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=features,
        OnlineStoreConfig={"EnableOnlineStore": True},
        OfflineStoreConfig={"S3StorageConfig": {"S3Uri": f"s3://{bucket}/features"}},
        RoleArn=role,
    )
    runtime = state.client("sagemaker-featurestore-runtime")
    put(runtime, "trips", 1, count="1")
    state.command("down", check=True)
    state.command("up", "--port", "auto", check=True)
    try:
        assert [row["count"] for row in offline_rows(state, "trips")] == [1]
        assert read(runtime, "trips")["count"] == "1"
    finally:
        state.command("down", check=True)
