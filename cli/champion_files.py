"""What the model that serves rests on, downloaded once: its dataset, inputs, members, artefact."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.datasets import get_item, list_objects, use_case
from cli.errors import NotThereError, RefusedError
from cli.project import ROOT
from cli.training import model_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.target import Target

MIRROR = ROOT / "build" / "local_change" / "store"
"""Objects that are named by their content, or by the one run that wrote them: never out of date."""
FEATURES = "features/"


class Champion(NamedTuple):
    """The serving version and the files that it rests on."""

    version: int
    record: dict[str, Any]
    document: dict[str, Any]
    """The configuration that it was trained with."""
    dataset: Path
    published_at: str
    inputs: Path
    prefix: str
    artefact: Path


def fetch_champion(target: Target) -> Champion:
    """Download what the serving model rests on; nothing is written to the platform.

    Raises:
        NotThereError: no model serves yet, or its dataset has expired.

    """
    name = use_case(target)
    serving = get_item(target, "ModelTableName", {"pk": f"MODEL#{name}", "sk": "SERVING"})
    if serving is None:
        message = f"No model serves yet, to compare with. Run: {target.command('train')}"
        raise NotThereError(message)
    record = model_record(target, serving["version"]) or {}
    key = {"pk": f"DATASET#{name}", "sk": record["dataset_id"]}
    published = get_item(target, "MetadataTableName", key)
    if published is None:
        message = f"Dataset {record['dataset_id']}, which version {serving['version']} was trained"
        raise NotThereError(f"{message} on, has expired. Run: {target.command('ingest FOLDER')}")
    config_bucket = target.output("Foundation", "ConfigBucketName")
    config = fetch(target, config_bucket, f"training/{record['config_digest']}.json")
    prefix = target.output("DataPipeline", "FeatureGroupPrefix")
    return Champion(
        version=int(serving["version"]),
        record=record,
        document=json.loads(config.read_text(encoding="utf-8")),
        dataset=_dataset(target, str(published["manifest_uri"])),
        published_at=str(published["published_at"]),
        inputs=_inputs(target, prefix),
        prefix=prefix,
        artefact=_artefact(target, record),
    )


def fetch(target: Target, bucket: str, key: str) -> Path:
    """Give an immutable object as a file; it is downloaded the first time."""
    path = MIRROR / bucket / key
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.part")
        target.client("s3").download_file(bucket, key, str(unfinished))
        unfinished.rename(path)
    return path


def fetch_uri(target: Target, uri: str) -> Path:
    """Give the file of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return fetch(target, bucket, key)


def _dataset(target: Target, manifest_uri: str) -> Path:
    manifest = fetch_uri(target, manifest_uri)
    folder, _, _ = manifest_uri.rpartition("/")
    for file in _files_of(json.loads(manifest.read_text(encoding="utf-8"))):
        fetch_uri(target, f"{folder}/{file}")
    return manifest.parent


def _files_of(manifest: dict[str, Any]) -> Iterator[str]:
    yield from (file["path"] for file in manifest["files"])
    yield "sample_requests.jsonl"


def _inputs(target: Target, prefix: str) -> Path:
    """Download the use case's feature groups; their files are named by what they hold."""
    bucket = target.output("Foundation", "AnalyticsBucketName")
    for item in list_objects(target, bucket, f"{FEATURES}{prefix}-"):
        fetch(target, bucket, item.key)
    return MIRROR / bucket / FEATURES


def _artefact(target: Target, record: dict[str, Any]) -> Path:
    path = fetch_uri(target, str(record["artefact_uri"]))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != record["artefact_sha256"]:
        path.unlink()
        message = (
            f"{record['artefact_uri']} has SHA-256 {digest}, but version {record['version']} was "
            f"registered with {record['artefact_sha256']}"
        )
        raise RefusedError(message)
    return path
