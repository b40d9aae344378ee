"""`fourblocks datasets`: the published dataset versions, newest first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key
from rich.table import Table

from cli.datasets import latest_dataset, read_object, use_case
from cli.errors import NotThereError
from cli.screen import console

if TYPE_CHECKING:
    from cli.target import Target

LATEST = "LATEST"
MANIFEST_NAME = "manifest.json"
STATISTICS_NAME = "statistics.json"
SHORT = 12
"""Characters of a dataset's id that lists show; any unambiguous beginning names a version."""


def list_datasets(target: Target, *, limit: int) -> None:
    """Print the published versions, newest first."""
    versions = dataset_versions(target)
    if not versions:
        console.print(f"No dataset is published yet. Run: {target.command('ingest FOLDER')}")
        return
    current = (latest_dataset(target) or {}).get("dataset_id")
    table = Table("", "dataset", "published", "rows", "code", "run", "state", box=None)
    for item in versions[:limit]:
        mark = "▶" if item["dataset_id"] == current else ""
        rows = sum(int(count) for count in dict(item.get("rows", {})).values())
        table.add_row(
            mark,
            str(item["dataset_id"])[:SHORT],
            str(item.get("published_at", ""))[:19],
            f"{rows:,}",
            str(item.get("code_version", ""))[:SHORT],
            str(item.get("run_id", "")),
            str(item.get("state", "published")),
        )
    console.print(table)
    console.print(f"▶ is what the next training takes. One version: {_show(target)}")


def _show(target: Target) -> str:
    return target.command("dataset show DATASET")


def dataset_versions(target: Target) -> list[dict[str, Any]]:
    """Read the records of all published versions, newest first."""
    table = target.session.resource("dynamodb", region_name=target.region).Table(
        target.output("Foundation", "MetadataTableName")
    )
    condition = Key("pk").eq(f"DATASET#{use_case(target)}")
    items: list[dict[str, Any]] = []
    following: dict[str, Any] = {}
    while True:
        answer = table.query(KeyConditionExpression=condition, **following)
        items += [dict(item) for item in answer["Items"] if item["sk"] != LATEST]
        if "LastEvaluatedKey" not in answer:
            break
        following = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    versions = [{**item, "dataset_id": item["sk"]} for item in items]
    return sorted(versions, key=lambda item: str(item.get("published_at", "")), reverse=True)


def find_dataset(target: Target, wanted: str) -> dict[str, Any]:
    """Find a version by its id, an unambiguous beginning of it, or `latest`.

    Raises:
        NotThereError: there is none, or more than one.

    """
    versions = dataset_versions(target)
    if wanted == LATEST.lower():
        wanted = str((latest_dataset(target) or {}).get("dataset_id", wanted))
    found = [item for item in versions if str(item["dataset_id"]).startswith(wanted)]
    if len(found) == 1:
        return found[0]
    what = "No dataset begins" if not found else f"{len(found)} datasets begin"
    known = ", ".join(str(item["dataset_id"])[:SHORT] for item in found or versions) or "none"
    message = f"{what} with {wanted!r}. Known: {known}. All: {target.command('datasets')}"
    raise NotThereError(message)


def read_document(target: Target, version: dict[str, Any], name: str) -> dict[str, Any]:
    """Read one of a version's JSON documents, such as its manifest.

    Raises:
        NotThereError: the version has no such document.

    """
    bucket, _, key = str(version["manifest_uri"]).removeprefix("s3://").partition("/")
    text = read_object(target, bucket, f"{key.rpartition('/')[0]}/{name}")
    if text is None:
        message = f"Dataset {version['dataset_id']} has no {name}: it has expired, or was removed."
        raise NotThereError(message)
    return dict(json.loads(text))
