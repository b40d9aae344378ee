"""Training rows and online look-ups are equal, bit for bit; the past stays as it was known."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipeline_code.use_case import load_use_case
from tests.e2e.localcloud.conftest import eventually

SAMPLED = 1000
NUMBERS = {"integer": int, "number": float}


@pytest.fixture(scope="module")
def use_case(bare_platform):
    return load_use_case(bare_platform.outputs("Foundation")["UseCase"])


@pytest.fixture(scope="module")
def groups(bare_platform, use_case) -> dict[str, str]:
    """Names of the feature groups by group of inputs."""
    prefix = bare_platform.outputs("DataPipeline")["FeatureGroupPrefix"]
    return {group: f"{prefix}-{group}-v{use_case.inputs_version}" for group in use_case.inputs}


@pytest.fixture(scope="module")
def records(bare_platform):
    return bare_platform.client("sagemaker-featurestore-runtime")


@pytest.fixture(scope="module")
def trained(bare_platform, use_case) -> pa.Table:
    """Rows of the latest dataset's last month, newest last."""
    outputs = bare_platform.outputs("Foundation")
    key = {"pk": {"S": f"DATASET#{use_case.name}"}, "sk": {"S": "LATEST"}}
    latest = bare_platform.client("dynamodb").get_item(
        TableName=outputs["MetadataTableName"], Key=key
    )["Item"]["dataset_id"]["S"]
    bucket, s3 = outputs["ModelInputBucketName"], bare_platform.client("s3")
    root = f"datasets/{latest}/"
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=f"{root}manifest.json")["Body"].read())
    last = max(manifest["files"], key=lambda file: file["path"].rsplit("period=", 1)[1])
    body = s3.get_object(Bucket=bucket, Key=root + last["path"])["Body"].read()
    return pq.read_table(io.BytesIO(body), partitioning=None)


def looked_up(records, groups: dict[str, str], ids: list[str]) -> dict[str, dict[str, Any]]:
    """Look all groups up for each entity, a hundred at once, as serving would."""
    found: dict[str, dict[str, Any]] = {each: {} for each in ids}
    group_of = {name: group for group, name in groups.items()}
    for first in range(0, len(ids), 30):
        chunk = ids[first : first + 30]
        asked = [
            {"FeatureGroupName": name, "RecordIdentifiersValueAsString": chunk}
            for name in groups.values()
        ]
        answer = records.batch_get_record(Identifiers=asked)
        assert not answer["Errors"]
        assert not answer["UnprocessedIdentifiers"]
        for each in answer["Records"]:
            features = {f["FeatureName"]: f["ValueAsString"] for f in each["Record"]}
            found[each["RecordIdentifierValueAsString"]][group_of[each["FeatureGroupName"]]] = (
                features
            )
    return found


def instance(use_case, found: dict[str, dict[str, str]]) -> dict[str, dict[str, Any] | None]:
    """Read what was looked up as the instance of a request."""
    made: dict[str, dict[str, Any] | None] = {}
    for group, fields in use_case.inputs.items():
        texts = found.get(group)
        made[group] = texts and {
            name: NUMBERS.get(field.type, str)(texts[name])
            for name, field in fields.items()
            if name in texts
        }
    return made


def test_a_thousand_look_ups_give_the_very_features_that_were_trained_on(
    use_case, groups, records, trained
):
    rows = trained.slice(trained.num_rows - SAMPLED)
    assert rows.num_rows == SAMPLED
    ids = rows.column("entity_id").to_pylist()

    found = looked_up(records, groups, ids)

    assert all("schedule" in each for each in found.values())
    instances = [instance(use_case, found[each]) for each in ids]
    served = use_case.features().row_features(use_case.columns(instances))
    for name, values in served.items():
        stored = rows.column(name).to_numpy().astype(values.dtype)
        assert values.dtype in (np.dtype("float32"), np.dtype("int16")), name
        same = (values == stored) | (np.isnan(values) & np.isnan(stored))
        assert same.all(), (name, np.flatnonzero(~same)[:3])
        zeros = values == 0
        assert (np.signbit(values) == np.signbit(stored))[zeros].all(), name


def test_a_day_whose_weather_never_came_has_no_record_of_it(groups, records, trained):
    dark = [str(each) for each in trained.column("entity_id").to_pylist()[-20:]]
    assert all(each.startswith(("2013-12-31", "2014-01-01")) for each in dark)

    found = looked_up(records, groups, dark)

    for each in found.values():
        assert set(each) == {"schedule", "network"}


def test_a_late_older_record_never_overwrites(groups, records, trained):
    entity = trained.column("entity_id").to_pylist()[-1]
    name = groups["network"]
    before = looked_up(records, groups, [entity])[entity]["network"]
    late = {"entity_id": entity, "event_time": "2013-01-01T00:00:00Z", "origin_2h_flights": "99999"}
    record = [{"FeatureName": key, "ValueAsString": value} for key, value in late.items()]

    records.put_record(FeatureGroupName=name, Record=record)

    assert looked_up(records, groups, [entity])[entity]["network"] == before


@pytest.fixture(scope="module")
def offline(bare_platform, groups):
    """Rows of a group's table, found as the catalog says."""

    def read(group: str) -> pa.Table:
        described = bare_platform.client("sagemaker").describe_feature_group(
            FeatureGroupName=groups[group]
        )
        where = described["OfflineStoreConfig"]["DataCatalogConfig"]
        table = bare_platform.client("glue").get_table(
            DatabaseName=where["Database"], Name=where["TableName"]
        )["Table"]
        location = table["StorageDescriptor"]["Location"].removeprefix("s3://")
        bucket, _, prefix = location.partition("/")
        s3 = bare_platform.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        assert all("/year=2013/month=" in key or "/year=2014/month=" in key for key in keys)
        bodies = (s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys)
        return pa.concat_tables(pq.read_table(io.BytesIO(body)) for body in bodies)

    return read


def test_the_offline_store_holds_every_row_once_and_nothing_later_than_asked_for(
    offline, groups, use_case, trained
):
    rows = offline("network")
    told = [rows.column(name).to_pylist() for name in ("entity_id", "write_time")]
    versions = list(zip(*told, strict=True))
    assert len(set(versions)) == len(versions), "a batch that is ingested again adds nothing"
    assert set(trained.column("entity_id").to_pylist()) <= set(told[0])
    asked = "2013-11-15T12:00:00Z"
    # As of a time: of each entity the latest row that was true and had been told by then.
    known = rows.filter(ds.field("event_time") <= asked)
    assert 0 < known.num_rows < rows.num_rows
    assert max(known.column("event_time").to_pylist()) <= asked
    columns = [*use_case.inputs["network"], "write_time", "api_invocation_time", "is_deleted"]
    assert set(columns) < set(rows.schema.names)
    assert not any(known.column("is_deleted").to_pylist())


def test_what_others_put_is_kept_by_feature_store_itself_as_its_own_role(bare_platform, groups):
    described = bare_platform.client("sagemaker").describe_feature_group(
        FeatureGroupName=groups["network"]
    )
    uri = described["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"]
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    s3 = bare_platform.client("s3")
    late = eventually(
        lambda: s3.list_objects_v2(
            Bucket=bucket, Prefix=f"{prefix}/year=2013/month=01/day=01/"
        ).get("Contents", [])
    )
    body = s3.get_object(Bucket=bucket, Key=late[0]["Key"])["Body"].read()
    (row,) = pq.read_table(io.BytesIO(body), partitioning=None).to_pylist()
    assert row["origin_2h_flights"] == 99999


def test_the_group_s_role_and_the_job_s_used_what_they_were_granted(bare_platform):
    lines = (bare_platform.state / "decisions.jsonl").read_text().splitlines()
    used = {
        (d["principal"].split("/")[1], d["action"])
        for d in map(json.loads, lines)
        if "/" in d["principal"]
    }
    of_job = {action for role, action in used if "Transform" in role}
    writing = {"sagemaker:BatchGetRecord", "sagemaker:BatchWriteRecord", "sagemaker:PutRecord"}
    assert writing <= of_job
    of_groups = {action for role, action in used if "FeatureGroups" in role}
    assert {"s3:GetBucketAcl", "s3:PutObject"} <= of_groups
