"""Catalogue, look-ups, outcomes and expiry through their handlers, on moto."""

from __future__ import annotations

import gzip
import json

import boto3
import pytest

from pipeline_code.data_pipeline.contract import label_bucket, label_index_key, lookup_partition
from tests.integration.conftest import USE_CASE

BLOCK = "data_pipeline"
MANIFEST = {
    "dataset_id": "d-1",
    "schema": {"entity_id": "string", "label": "int8", "x": "float"},
    "files": [{"path": "split=train/period=2013-01/data.parquet"}],
}
SOURCES = {
    "a": {"rows_quarantined": 2, "files_quarantined": 0},
    "b": {"rows_quarantined": 0, "files_quarantined": 0},
}


@pytest.fixture(autouse=True)
def analytics(world, monkeypatch):
    """The stores behind the datasets, and their settings."""
    settings = {
        "ANALYTICS_BUCKET": "analytics",
        "ANALYTICS_TABLE": "analytics",
        "DATABASE_NAME": "catalog",
        "KEEP_DATASETS": "1",
        "KEEP_DAYS": "30",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    world.s3.create_bucket(Bucket="analytics")
    text = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    world.dynamodb.create_table(
        TableName="analytics",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=text,
        BillingMode="PAY_PER_REQUEST",
    )
    index = ("awaiting_outcome", "entity_id")
    world.dynamodb.update_table(
        TableName="predictions",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in index],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "awaiting_outcome",
                    "KeySchema": [
                        {"AttributeName": name, "KeyType": kind}
                        for name, kind in zip(index, ("HASH", "RANGE"), strict=True)
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )


@pytest.fixture
def glue(world):
    client = boto3.client("glue", "us-east-1")
    client.create_database(DatabaseInput={"Name": "catalog"})
    tables = {"quarantine": ["source", "run"], "labels": ["bucket"], "by_a": ["dataset"]}
    for name, keys in tables.items():
        client.create_table(
            DatabaseName="catalog",
            TableInput={
                "Name": name,
                "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
                "StorageDescriptor": {"Columns": [], "Location": f"s3://x/{name}/"},
            },
        )
    return client


def partitions(glue, table):
    found = glue.get_partitions(DatabaseName="catalog", TableName=table)["Partitions"]
    return {tuple(each["Values"]): each["StorageDescriptor"]["Location"] for each in found}


def report(world, run_id, dataset_id="", *, rows=2):
    content = {"run_id": run_id, "status": "rejected", "sources": SOURCES}
    if dataset_id:
        content |= {
            "status": "published",
            "dataset_id": dataset_id,
            "manifest_key": f"datasets/{dataset_id}/manifest.json",
            "analytics": {"by_a": rows},
            "outcomes": {"known": 3, "new": 3},
        }
        manifest = {**MANIFEST, "dataset_id": dataset_id}
        world.put("model-input", f"datasets/{dataset_id}/manifest.json", manifest)
        world.put("model-input", f"datasets/{dataset_id}/{MANIFEST['files'][0]['path']}", b"x")
    world.put("model-input", f"runs/{run_id}/report.json", content)


def put(world, table, **item):
    values = {k: {"N": str(v)} if isinstance(v, int) else {"S": v} for k, v in item.items()}
    world.dynamodb.put_item(TableName=table, Item=values)


def lookup_rows(world, dataset_id, count=2):
    put(world, "analytics", pk=f"{USE_CASE}#by_a", sk=f"VERSION#{dataset_id}",
        dataset_id=dataset_id, started_at="2026-01-01T00:00:00.000Z")  # fmt: skip
    for number in range(count):
        pk = lookup_partition(USE_CASE, "by_a", dataset_id)
        put(world, "analytics", pk=pk, sk=f"key-{number}", n=number)


def latest(world, dataset_id, published_at):
    put(world, "metadata", pk=f"DATASET#{USE_CASE}", sk="LATEST", dataset_id=dataset_id,
        published_at=published_at)  # fmt: skip


def current(world):
    return world.item("analytics", f"{USE_CASE}#by_a", "CURRENT")


def count(world, dataset_id):
    answer = world.dynamodb.query(
        TableName="analytics",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": lookup_partition(USE_CASE, "by_a", dataset_id)}},
    )
    return answer["Count"]


def test_a_run_is_catalogued_once_and_a_rejected_one_by_its_quarantine(world, call, glue):
    report(world, "r-1", "d-1")
    report(world, "r-2")
    latest(world, "other", "2026-01-01T00:00:00.000Z")

    first = call(BLOCK, "catalog_run", {"run_id": "r-1"})
    again = call(BLOCK, "catalog_run", {"run_id": "r-1"})
    rejected = call(BLOCK, "catalog_run", {"run_id": "r-2"})
    died = call(BLOCK, "catalog_run", {"run_id": "r-3"})

    assert first == again
    assert first["partitions"] == {"quarantine": 1, "datasets": 1, "by_a": 1, "labels": 16}
    assert first["looked_up"] == []
    assert rejected["partitions"] == {"quarantine": 1}
    assert died == {"partitions": {}, "looked_up": []}
    assert partitions(glue, "quarantine") == {
        ("a", "r-1"): "s3://raw-lake/quarantine/a/run=r-1/",
        ("a", "r-2"): "s3://raw-lake/quarantine/a/run=r-2/",
    }
    assert partitions(glue, "datasets") == {
        ("d-1", "train", "2013-01"): "s3://model-input/datasets/d-1/split=train/period=2013-01/"
    }
    table = glue.get_table(DatabaseName="catalog", Name="datasets")["Table"]
    columns = {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}
    assert columns == {"entity_id": "string", "label": "tinyint", "x": "float"}


def test_look_ups_swap_when_all_rows_are_there_and_keep_the_version_before(world, call, glue):
    for number, dataset_id in enumerate(("d-1", "d-2", "d-3"), start=1):
        report(world, f"r-{number}", dataset_id)
        lookup_rows(world, dataset_id)
        latest(world, dataset_id, f"2026-01-0{number}T00:00:00.000Z")
        answer = call(BLOCK, "catalog_run", {"run_id": f"r-{number}"})
        assert answer["looked_up"] == ["by_a"]
        assert current(world)["dataset_id"] == dataset_id

    assert [count(world, each) for each in ("d-1", "d-2", "d-3")] == [0, 2, 2]
    assert current(world)["previous"] == "d-2"
    call(BLOCK, "catalog_run", {"run_id": "r-1"})
    assert current(world)["dataset_id"] == "d-3"


def test_look_ups_with_rows_missing_are_not_swapped(world, call, glue):
    report(world, "r-1", "d-1", rows=3)
    lookup_rows(world, "d-1", count=2)
    latest(world, "d-1", "2026-01-01T00:00:00.000Z")
    with pytest.raises(Exception, match="has 2 of 3 rows"):
        call(BLOCK, "catalog_run", {"run_id": "r-1"})
    assert current(world) is None


def test_a_prediction_that_refers_to_an_entity_gets_its_outcome(world, call):
    entities = ["flown", "unknown"]
    for number, entity in enumerate(entities):
        put(world, "predictions", prediction_id=f"p-{number}", entity_id=entity,
            awaiting_outcome=label_bucket(entity))  # fmt: skip
    line = {"entity_id": "flown", "event_time": "x", "label": 1, "known_at": "2026-01-01T00:00:00Z"}
    key = label_index_key(label_bucket("flown"))
    world.put("analytics", key, gzip.compress(json.dumps(line).encode() + b"\n"))

    answers = [call(BLOCK, "join_outcomes", {"cursor": ""}) for _ in range(2)]

    assert [(a["examined"], a["joined"], a["cursor"]) for a in answers] == [(2, 1, ""), (1, 0, "")]
    scanned = world.dynamodb.scan(TableName="predictions")["Items"]
    stored = {item["prediction_id"]["S"]: item for item in scanned}
    assert stored["p-0"]["outcome_label"] == {"N": "1"}
    assert stored["p-0"]["outcome_known_at"] == {"S": "2026-01-01T00:00:00Z"}
    assert "awaiting_outcome" not in stored["p-0"]
    assert "awaiting_outcome" in stored["p-1"]


def dataset(world, dataset_id, published_at):
    put(world, "metadata", pk=f"DATASET#{USE_CASE}", sk=dataset_id, dataset_id=dataset_id,
        published_at=published_at)  # fmt: skip
    world.put("model-input", f"datasets/{dataset_id}/manifest.json", MANIFEST)
    world.put("model-input", f"datasets/{dataset_id}/split=train/data.parquet", b"x")
    world.put("analytics", f"analytics/by_a/dataset={dataset_id}/data.parquet", b"x")


def test_versions_that_nothing_rests_on_expire_with_all_their_files(world, call, glue):
    for number, name in enumerate(["free", "modelled", "trained", "newest"], start=1):
        dataset(world, name, f"2020-01-0{number}T00:00:00.000Z")
    latest(world, "newest", "2020-01-04T00:00:00.000Z")
    put(world, "models", pk=f"MODEL#{USE_CASE}", sk="V#00000001", dataset_id="modelled", version=1)
    put(world, "models", pk=f"TRAINING#{USE_CASE}", sk="t-1", dataset_id="trained",
        state="claimed", execution_arn="arn")  # fmt: skip

    tried = call(BLOCK, "expire_datasets", {"dry_run": True})
    answer = call(BLOCK, "expire_datasets", {})
    again = call(BLOCK, "expire_datasets", {})

    assert tried["expired"] == answer["expired"] == ["free"]
    assert again["expired"] == []
    assert answer["kept"] == {
        "modelled": "Model version 1 rests on it.",
        "trained": "Training t-1 is under way.",
    }
    assert world.item("metadata", f"DATASET#{USE_CASE}", "free")["state"] == "expired"
    for name, there in (("free", 0), ("modelled", 2), ("trained", 2), ("newest", 2)):
        prefix = f"datasets/{name}/"
        listed = world.s3.list_objects_v2(Bucket="model-input", Prefix=prefix)
        assert listed["KeyCount"] == there, name
        prefix = f"analytics/by_a/dataset={name}/"
        listed = world.s3.list_objects_v2(Bucket="analytics", Prefix=prefix)
        assert listed["KeyCount"] == there // 2, name
