"""Outcomes that became known: kept by entity, so that past predictions can be scored later."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from pipeline_code.data_pipeline.contract import (
    ENTITY_COLUMN,
    EVENT_TIME_COLUMN,
    KNOWN_AT_COLUMN,
    LABEL_BUCKETS,
    LABEL_COLUMN,
    LABEL_ROWS_PREFIX,
    Batch,
    label_index_key,
)
from pipeline_code.data_pipeline.dataset_file import COMPRESSION, FILE_NAME
from pipeline_code.data_pipeline.storage import storage_of

BUCKET_COLUMN = "bucket"
SPELT = "yyyy-MM-dd'T'HH:mm:ss'Z'"
WRITTEN = "known bigint, new bigint"


class Outcome(TypedDict):
    """A line of the index: what happened to an entity, and since when that is known."""

    entity_id: str
    event_time: str
    label: int
    known_at: str


def write_outcomes(
    spark: SparkSession, analytics_uri: str, files: Sequence[str], known_at: str
) -> dict[str, int]:
    """Take the outcomes of a dataset's files along; one that is known already keeps its time.

    An entity that a dataset no longer holds keeps its outcome: what happened, happened.
    """
    # Spark spells a time much faster than Python does.
    event_time = F.date_format(EVENT_TIME_COLUMN, SPELT).alias(EVENT_TIME_COLUMN)
    rows = spark.read.parquet(*files).select(ENTITY_COLUMN, event_time, LABEL_COLUMN)
    digest = F.sha2(F.col(ENTITY_COLUMN), 256)
    spread = (
        rows.withColumn(BUCKET_COLUMN, F.substring(digest, 1, 1))
        .repartition(len(LABEL_BUCKETS), BUCKET_COLUMN)
        .sortWithinPartitions(BUCKET_COLUMN, ENTITY_COLUMN)
    )
    written = spread.mapInArrow(_writer(analytics_uri, _instant(known_at)), WRITTEN)
    counted = written.agg(F.sum("known").alias("known"), F.sum("new").alias("new"))
    return _counts(counted)


def newest_arrival(batch: Batch) -> str:
    """Say when the last file of a batch arrived: its outcomes are known since then."""
    return max(item["arrived_at"] for item in batch["objects"])


def _counts(counted: DataFrame) -> dict[str, int]:
    (row,) = counted.collect()
    return {"known": row["known"] or 0, "new": row["new"] or 0}


def _writer(
    analytics_uri: str, known_at: str
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        buckets: dict[str, list[Outcome]] = {}
        for batch in batches:
            for row in batch.to_pylist():
                outcomes = buckets.setdefault(row[BUCKET_COLUMN], [])
                outcomes.append(_outcome(row, known_at))
        for bucket, outcomes in buckets.items():
            yield pa.RecordBatch.from_pylist([_merge(analytics_uri, bucket, outcomes)])

    return write


def _outcome(row: dict[str, Any], known_at: str) -> Outcome:
    return Outcome(
        entity_id=row[ENTITY_COLUMN],
        event_time=row[EVENT_TIME_COLUMN],
        label=row[LABEL_COLUMN],
        known_at=known_at,
    )


def _instant(text: str) -> str:
    """Spell a time in the one way of the index."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _merge(analytics_uri: str, bucket: str, outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Add a dataset's outcomes to a bucket; nothing is written when none of them is new."""
    uri = f"{analytics_uri}{label_index_key(bucket)}"
    known = {outcome["entity_id"]: outcome for outcome in _known(uri)}
    new = [outcome for outcome in outcomes if _is_new(outcome, known)]
    if new:
        known.update((outcome["entity_id"], outcome) for outcome in new)
        _write(analytics_uri, bucket, [known[entity] for entity in sorted(known)])
    return {"known": len(known), "new": len(new)}


def _is_new(outcome: Outcome, known: dict[str, Outcome]) -> bool:
    before = known.get(outcome["entity_id"])
    return before is None or before["label"] != outcome["label"]


def _known(uri: str) -> Iterator[Outcome]:
    content = storage_of(uri).read_if_there(uri)
    if content is not None:
        for line in gzip.decompress(content).splitlines():
            yield json.loads(line)


def _write(analytics_uri: str, bucket: str, outcomes: Sequence[Outcome]) -> None:
    """Write a bucket as a table and then as the index, which decides what is new."""
    rows = f"{analytics_uri}{LABEL_ROWS_PREFIX}{BUCKET_COLUMN}={bucket}/{FILE_NAME}"
    storage = storage_of(rows)
    storage.write(rows, _parquet(outcomes))
    lines = b"".join(json.dumps(outcome).encode() + b"\n" for outcome in outcomes)
    storage.write(f"{analytics_uri}{label_index_key(bucket)}", gzip.compress(lines, 6, mtime=0))


def _parquet(outcomes: Sequence[Outcome]) -> bytes:
    moment = pa.timestamp("us", tz="UTC")
    table = pa.table(
        {
            ENTITY_COLUMN: pa.array([o["entity_id"] for o in outcomes], pa.string()),
            EVENT_TIME_COLUMN: pa.array([o["event_time"] for o in outcomes]).cast(moment),
            LABEL_COLUMN: pa.array([o["label"] for o in outcomes], pa.int8()),
            KNOWN_AT_COLUMN: pa.array([o["known_at"] for o in outcomes]).cast(moment),
        }
    )
    content = io.BytesIO()
    pq.write_table(table, content, compression=COMPRESSION)
    return content.getvalue()
