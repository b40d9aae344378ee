"""A dataset version: named by the digest of what it contains."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from pipeline_code.data_pipeline.contract import DatasetFile, DatasetManifest, Provenance
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
