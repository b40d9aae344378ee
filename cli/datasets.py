"""The model input store as an operator reads it: datasets, reports of runs, held-out samples."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from cli.errors import NotThereError

if TYPE_CHECKING:
    from datetime import datetime

    from cli.target import Target

TEST_SPLIT = "test"
SAMPLES_NAME = "sample_requests.jsonl"


def use_case(target: Target) -> str:
    """Return the use case that is deployed."""
    return target.output("Foundation", "UseCase")


def get_item(target: Target, table_output: str, key: dict[str, str]) -> dict[str, Any] | None:
    """Read one item of a foundation table, or None where there is none."""
    table = target.session.resource("dynamodb", region_name=target.region).Table(
        target.output("Foundation", table_output)
    )
    item = table.get_item(Key=key, ConsistentRead=True).get("Item")
    return dict(item) if item else None


def latest_dataset(target: Target) -> dict[str, Any] | None:
    """Return the pointer to the latest published dataset version, or None before the first."""
    key = {"pk": f"DATASET#{use_case(target)}", "sk": "LATEST"}
    return get_item(target, "MetadataTableName", key)


def batch_claim(target: Target, batch_id: str) -> dict[str, Any] | None:
    """Return what became of a batch."""
    key = {"pk": f"BATCH#{use_case(target)}", "sk": batch_id}
    return get_item(target, "MetadataTableName", key)


def run_report(target: Target, run_id: str) -> dict[str, Any] | None:
    """Return what a run of the Spark job said of itself, or None if it died before."""
    bucket = target.output("Foundation", "ModelInputBucketName")
    text = read_object(target, bucket, f"runs/{run_id}/report.json")
    return None if text is None else dict(json.loads(text))


def read_samples(target: Target, count: int) -> list[dict[str, Any]]:
    """Return requests for entities of the untouched test months, spread over the sample.

    Raises:
        NotThereError: no dataset is published yet, or it has no sample.

    """
    latest = latest_dataset(target)
    if latest is None:
        message = f"No dataset is published yet. Run: {target.command('ingest FOLDER')}"
        raise NotThereError(message)
    bucket, _, key = str(latest["manifest_uri"]).removeprefix("s3://").partition("/")
    text = read_object(target, bucket, f"{key.rpartition('/')[0]}/{SAMPLES_NAME}")
    if text is None:
        message = f"Dataset {latest['dataset_id']} holds no {SAMPLES_NAME}."
        raise NotThereError(message)
    samples = [json.loads(line) for line in text.splitlines() if line.strip()]
    return spread([sample for sample in samples if sample["split"] == TEST_SPLIT], count)


def spread(items: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Pick `count` items at equal distances, the same ones every time."""
    if count >= len(items):
        return items
    return [items[index * len(items) // count] for index in range(count)]


class StoredObject(NamedTuple):
    """An object of a bucket, and when it was written."""

    key: str
    modified: datetime


def list_objects(target: Target, bucket: str, prefix: str) -> list[StoredObject]:
    """List every object under a prefix."""
    pages = target.client("s3").get_paginator("list_objects_v2")
    return [
        StoredObject(item["Key"], item["LastModified"])
        for page in pages.paginate(Bucket=bucket, Prefix=prefix)
        for item in page.get("Contents", [])
    ]


def read_object(target: Target, bucket: str, key: str) -> str | None:
    """Read a text object, or return None where there is none."""
    try:
        answer = target.client("s3").get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            return None
        raise
    return str(answer["Body"].read().decode("utf-8"))
