"""Ingestion: the inputs of a committed dataset become the feature store's rows and records.

The offline rows of all of them, the online records of the last days. Spark's executors read what
the run set aside and write; the driver sees counts. A second run of the same batch adds nothing:
offline files are named by their rows, and an online record only gives way to a later one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from pipeline_code.data_pipeline.contract import (
    EVENT_TIME_COLUMN,
    PERIOD_COLUMN,
    SPLIT_COLUMN,
    DatasetManifest,
    feature_group_name,
)
from pipeline_code.data_pipeline.feature_step import OUTSIDE_SPLITS
from pipeline_code.data_pipeline.offline_rows import group_rows, offline_files
from pipeline_code.data_pipeline.online_records import RecordStore, entries, write
from pipeline_code.data_pipeline.staged_inputs import FILE_NAME as INPUTS_NAME
from pipeline_code.data_pipeline.staged_inputs import read_inputs
from pipeline_code.data_pipeline.storage import storage_of
from pipeline_code.use_case import UseCase, load_use_case

logger = logging.getLogger("feature_store")

OFFLINE_COUNTS = "uri string, files bigint, added bigint, newest bigint"
"""``newest`` is an event time in seconds since 1970."""
ONLINE_COUNTS = "records bigint"
RETRIES = {"mode": "standard", "max_attempts": 10}
Batches = Iterable[pa.RecordBatch]
Step = Callable[[Batches], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class FeatureStoreSettings:
    """Where records go: the offline store's place, the groups' names, the reach of the online."""

    offline_uri: str
    group_prefix: str
    online_days: int


def ingest(
    spark: SparkSession,
    use_case: UseCase,
    settings: FeatureStoreSettings,
    *,
    staging_uri: str,
    manifest: DatasetManifest,
    written_at: datetime,
) -> None:
    """Ingest what a run set aside for the dataset that it has committed."""
    uris = staged_uris(staging_uri, manifest)
    offline = _items(spark, [(uri, 0, 1) for uri in uris]).mapInArrow(
        _offline_step(use_case.name, settings, staging_uri, written_at), OFFLINE_COUNTS
    )
    counts = offline.collect()
    newest = max(row["newest"] for row in counts)
    since = datetime.fromtimestamp(newest, UTC) - timedelta(days=settings.online_days)
    # Within a file the recent rows come last: every task takes a part of those alone.
    parts = 2 * spark.sparkContext.defaultParallelism
    recent = [
        (row["uri"], part, parts)
        for row in counts
        if row["newest"] > since.timestamp()
        for part in range(parts)
    ]
    online = _items(spark, recent).mapInArrow(
        _online_step(use_case.name, settings, staging_uri, since), ONLINE_COUNTS
    )
    records = sum(row["records"] for row in online.collect())
    files, added = sum(row["files"] for row in counts), sum(row["added"] for row in counts)
    logger.info(
        "offline %d files, %d of them new; online %d records since %s", files, added, records, since
    )


def staged_uris(staging_uri: str, manifest: DatasetManifest) -> list[str]:
    """Name the files that a run set aside: of each folder of the dataset, of each unused month."""
    outside = manifest["provenance"]["rows_outside_splits"]
    used = [file["path"].rsplit("/", 1)[0] for file in manifest["files"]]
    unused = [f"{SPLIT_COLUMN}={OUTSIDE_SPLITS}/{PERIOD_COLUMN}={period}" for period in outside]
    return [f"{staging_uri}{path}/{INPUTS_NAME}" for path in sorted(used + unused)]


def _items(spark: SparkSession, items: Sequence[tuple[str, int, int]]) -> DataFrame:
    """Spread items over tasks, which have their own start: a file, and the part of its rows."""
    tasks = min(len(items), 2 * spark.sparkContext.defaultParallelism)
    rows = spark.sparkContext.parallelize(items, tasks)
    return spark.createDataFrame(rows, "uri string, part bigint, parts bigint")


def _offline_step(
    use_case_name: str, settings: FeatureStoreSettings, staging_uri: str, written_at: datetime
) -> Step:
    def step(batches: Batches) -> Iterator[pa.RecordBatch]:
        use_case = load_use_case(use_case_name)
        storage, staged = storage_of(settings.offline_uri), storage_of(staging_uri)
        for uri, _, _ in _each(batches):
            inputs = read_inputs(staged, uri)
            files = added = 0
            for file in offline_files(inputs, use_case, settings.group_prefix, written_at):
                files += 1
                added += storage.write_once(f"{settings.offline_uri}{file.key}", file.content)
            newest = pc.max(inputs.column(EVENT_TIME_COLUMN)).as_py().timestamp()
            counts = {"uri": uri, "files": files, "added": added, "newest": int(newest)}
            yield pa.RecordBatch.from_pylist([counts])

    return step


def _online_step(
    use_case_name: str, settings: FeatureStoreSettings, staging_uri: str, since: datetime
) -> Step:
    def step(batches: Batches) -> Iterator[pa.RecordBatch]:
        use_case = load_use_case(use_case_name)
        store, staged = record_store(), storage_of(staging_uri)
        for uri, part, parts in _each(batches):
            recent = _part(_since(read_inputs(staged, uri), since), part, parts)
            yield pa.RecordBatch.from_pylist(
                [{"records": _write_groups(store, recent, use_case, settings)}]
            )

    return step


def _since(inputs: pa.Table, since: datetime) -> pa.Table:
    times = inputs.column(EVENT_TIME_COLUMN)
    return inputs.filter(pc.greater(times, pa.scalar(since, type=times.type)))


def _part(rows: pa.Table, part: int, parts: int) -> pa.Table:
    first, end = (rows.num_rows * number // parts for number in (part, part + 1))
    return rows.slice(first, end - first)


def _write_groups(
    store: RecordStore, inputs: pa.Table, use_case: UseCase, settings: FeatureStoreSettings
) -> int:
    written = 0
    for group in use_case.inputs:
        name = feature_group_name(settings.group_prefix, group, use_case.inputs_version)
        written += write(store, entries(group_rows(inputs, use_case, group), name))
    return written


def record_store() -> RecordStore:
    """Make the runtime's client; it tries again by itself what was throttled."""
    import boto3  # noqa: PLC0415 - only the tasks that write need it
    from botocore.config import Config  # noqa: PLC0415 - comes with boto3

    # The service checks what it is sent; doing it here too takes longer than all the rest.
    config = Config(retries=RETRIES, parameter_validation=False)
    client: RecordStore = boto3.client("sagemaker-featurestore-runtime", config=config)
    return client


def _each(batches: Batches) -> Iterator[tuple[str, int, int]]:
    for batch in batches:
        for row in batch.to_pylist():
            yield row["uri"], row["part"], row["parts"]
