"""A dataset version: named by the digest of what it contains, with requests drawn from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from pipeline_code.data_pipeline.contract import (
    ENTITY_COLUMN,
    EVENT_TIME_COLUMN,
    LABEL_COLUMN,
    PERIOD_COLUMN,
    SPLIT_COLUMN,
    DatasetFile,
    DatasetManifest,
    SampleRequest,
)
from pipeline_code.use_case import Field, UseCase

HELD_OUT = ("validation", "test")
SAMPLES_PER_SPLIT = 200


def make_manifest(
    use_case: UseCase,
    schema: Mapping[str, str],
    files: Iterable[DatasetFile],
    provenance: dict[str, object],
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


def sample_requests(snapshots: DataFrame, use_case: UseCase) -> list[SampleRequest]:
    """Draw held-out entities, the same ones whenever they are there, and put them as requests."""
    samples = []
    time = F.date_format(EVENT_TIME_COLUMN, "yyyy-MM-dd'T'HH:mm:ss'Z'").alias(EVENT_TIME_COLUMN)
    others = [name for name in snapshots.columns if name != EVENT_TIME_COLUMN]
    for split in HELD_OUT:
        drawn = snapshots.where(F.col(SPLIT_COLUMN) == split).orderBy(
            F.xxhash64(ENTITY_COLUMN), ENTITY_COLUMN
        )
        rows = drawn.limit(SAMPLES_PER_SPLIT).select(*others, time).collect()
        samples += [_sample(row.asDict(), use_case) for row in rows]
    return samples


def _sample(row: dict[str, object], use_case: UseCase) -> SampleRequest:
    sample = SampleRequest(
        entity_id=str(row[ENTITY_COLUMN]),
        event_time=str(row[EVENT_TIME_COLUMN]),
        period=str(row[PERIOD_COLUMN]),
        split=row[SPLIT_COLUMN],  # type: ignore[typeddict-item]  # with_split sets nothing else
        label=int(str(row[LABEL_COLUMN])),
        instance={},
    )
    for group, fields in use_case.inputs.items():
        values = {name: _json_value(field, row[name]) for name, field in fields.items()}
        known = any(value is not None for value in values.values())
        sample["instance"][group] = values if known else None
    return sample


def _json_value(field: Field, value: object) -> object:
    """Spell a value as its type in ``inputs.yaml`` asks: 4.0 of type integer is 4."""
    if value is None or field.type in ("string", "datetime"):
        return value
    number = float(str(value))
    return int(number) if field.type == "integer" else number
