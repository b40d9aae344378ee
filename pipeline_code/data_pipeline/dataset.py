"""A dataset version: files in a fixed order of rows, named by what they contain, committed by a manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
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

FILE_NAME = "data.parquet"
COMPRESSION = "zstd"
HELD_OUT = ("validation", "test")
SAMPLES_PER_SPLIT = 200
SIGNIFICANT_DIGITS = 6
"""Digits of a statistic: fewer than the order of a sum can change."""


def write_files(features: DataFrame, staging_uri: str) -> None:
    """Write a file for each split and period, rows in the order of event time and entity.

    The bytes follow from the rows alone: neither the files that they came in, nor the number of
    partitions, nor the order of arrival changes them.
    """
    parts = [SPLIT_COLUMN, PERIOD_COLUMN]
    (
        features.repartition(*parts)
        .sortWithinPartitions(*parts, EVENT_TIME_COLUMN, ENTITY_COLUMN)
        .write.partitionBy(*parts)
        .option("compression", COMPRESSION)
        .parquet(staging_uri)
    )


def list_files(
    spark: SparkSession, staging_uri: str, rows: Mapping[tuple[str, str], int]
) -> dict[str, DatasetFile]:
    """Describe each staged file, by its URI; executors read and digest them."""
    found = (
        spark.read.format("binaryFile")
        .option("pathGlobFilter", "*.parquet")
        .option("recursiveFileLookup", "true")
        .load(staging_uri)
        .select("path", "length", F.sha2("content", 256).alias("sha256"))
        .collect()
    )
    files = {}
    for row in sorted(found, key=lambda row: str(row["path"])):
        split, period = (part.split("=", 1)[1] for part in row["path"].split("/")[-3:-1])
        files[_uri(row["path"])] = DatasetFile(
            path=f"{SPLIT_COLUMN}={split}/{PERIOD_COLUMN}={period}/{FILE_NAME}",
            sha256=row["sha256"],
            size_bytes=row["length"],
            rows=rows[split, period],
        )
    return files


def _uri(spark_path: str) -> str:
    """Undo the spelling of Spark's file metadata: ``file:/path`` and escaped characters."""
    path = unquote(spark_path)
    return f"file://{path.removeprefix('file:')}" if path.startswith("file:/") else path


def count_rows(written: DataFrame) -> dict[tuple[str, str], int]:
    """Count the dataset's rows by split and period."""
    rows = written.groupBy(SPLIT_COLUMN, PERIOD_COLUMN).count().collect()
    return {(row[SPLIT_COLUMN], str(row[PERIOD_COLUMN])): row["count"] for row in rows}


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


def describe(written: DataFrame, schema: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """Take each number's count, mean, deviation and range over the training months."""
    names = [name for name, kind in schema.items() if kind in ("float", "smallint", "tinyint")]
    figures = {"count": F.count, "mean": F.avg, "std": F.stddev_pop, "min": F.min, "max": F.max}
    columns = [
        function(name).alias(f"{name}:{figure}")
        for name in names
        for figure, function in figures.items()
    ]
    row = written.where(F.col(SPLIT_COLUMN) == "train").agg(*columns).first()
    values = row.asDict() if row else {}
    return {
        name: {figure: _rounded(values.get(f"{name}:{figure}")) for figure in figures}
        for name in names
    }


def _rounded(value: object) -> object:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value


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
