"""A dataset version: named by the digest of what it contains."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from pipeline_code.data_pipeline.contract import (
    DATASETS_PREFIX,
    Batch,
    DatasetFile,
    DatasetManifest,
    Provenance,
    SourceObject,
)
from pipeline_code.use_case import UseCase


def make_manifest(
    use_case: UseCase,
    schema: Mapping[str, str],
    files: Iterable[DatasetFile],
    provenance: Provenance,
) -> DatasetManifest:
    """Name a dataset version by the digest of its manifest without id and provenance."""
    listed = sorted(files, key=lambda file: file["path"])
    rows: dict[str, int] = {}
    for file in listed:
        split = file["path"].split("/", 1)[0].split("=", 1)[1]
        rows[split] = rows.get(split, 0) + file["rows"]
    versions = {name: source.version for name, source in use_case.sources.items()}
    manifest = DatasetManifest(
        dataset_id="",
        use_case=use_case.name,
        schema=dict(schema),
        files=listed,
        rows=rows,
        contract_versions={**versions, "inputs": use_case.inputs_version},
        provenance=provenance,
    )
    named = {k: v for k, v in manifest.items() if k not in ("dataset_id", "provenance")}
    manifest["dataset_id"] = hashlib.sha256(canonical(named)).hexdigest()
    return manifest


def canonical(value: object) -> bytes:
    """Spell a JSON value in the one way that its digest is taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def dataset_key(dataset_id: str, name: str) -> str:
    """Say where a file of a dataset version is in the model input store."""
    return f"{DATASETS_PREFIX}{dataset_id}/{name}"


def source_objects(batch: Batch) -> list[SourceObject]:
    """List the object versions that a batch consists of."""
    return [
        SourceObject(
            source=item["source"],
            key=item["key"],
            version_id=item["version_id"],
            etag=item["etag"],
            size_bytes=item["size_bytes"],
        )
        for item in batch["objects"]
    ]


def why_not_trainable(use_case: UseCase, manifest: DatasetManifest) -> list[str]:
    """Say what keeps a model from being trained on a dataset: an empty split, a stale source."""
    empty = [
        f"no row falls into the split {name}, {months.first} to {months.last}"
        for name, months in use_case.split.items()
        if not manifest["rows"].get(name)
    ]
    stale = [
        f"source {name} lies {report['lag_hours']:g} h behind the newest record of the batch"
        for name, report in sorted(manifest["provenance"]["sources"].items())
        if report["stale"]
    ]
    return empty + stale
