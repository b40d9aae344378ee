"""The Spark job: a batch of source files becomes an immutable dataset version, or is rejected.

``python -m pipeline_code.data_pipeline.transform_job --use_case NAME --run_id ID --batch_uri URI
--raw_lake_bucket BUCKET --model_input_bucket BUCKET --code_version VERSION``; a bucket may also be
the URI of a local folder, ``file:///path``. Runs unchanged on AWS Glue 5.1 (Spark 3.5).
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import cast

from pyspark.sql import DataFrame, SparkSession

from pipeline_code.data_pipeline.analytics import AnalyticsStore, write_analytics
from pipeline_code.data_pipeline.contract import (
    MANIFEST_NAME,
    RUNS_PREFIX,
    STAGING_PREFIX,
    Batch,
    DatasetManifest,
    Provenance,
    RunReport,
    TransformArguments,
)
from pipeline_code.data_pipeline.dataset import canonical, dataset_key, source_objects
from pipeline_code.data_pipeline.dataset_commit import DatasetCommit
from pipeline_code.data_pipeline.feature_step import with_split
from pipeline_code.data_pipeline.feature_store import FeatureStoreSettings, ingest
from pipeline_code.data_pipeline.outcomes import newest_arrival, write_outcomes
from pipeline_code.data_pipeline.source_step import BatchRejectedError, SourceStep
from pipeline_code.data_pipeline.storage import Storage, storage_of
from pipeline_code.use_case import UseCase, load_use_case

logger = logging.getLogger("transform_job")

LOCAL_ENGINE = "local"
UNKNOWN_COMMIT = "unknown"
BROADCAST_LIMIT = "64MB"
"""Kept tables are measured as they lie in memory, several times their size in files."""
BYTES_PER_TASK = 16 * 1024**2
"""Input, as text, for one task of a shuffle; its joined rows are several times larger."""
GZIP_RATIO = 5
JIT_LIMIT_BYTES = "8000"
"""HotSpot compiles no longer method: code that Spark would join into one runs interpreted."""


@dataclass(frozen=True)
class Arguments:
    """What one run is asked to do."""

    use_case: str
    run_id: str
    batch_uri: str
    raw_lake_uri: str
    model_input_uri: str
    code_version: str
    code_commit: str = UNKNOWN_COMMIT
    engine: str = LOCAL_ENGINE
    analytics_uri: str = ""
    """Where analytics tables and outcomes go; empty: nowhere."""
    lookup_table: str = ""
    feature_store: FeatureStoreSettings | None = None

    @property
    def staging_uri(self) -> str:
        """Where the run keeps what has no name yet."""
        return f"{self.model_input_uri}{STAGING_PREFIX}{self.run_id}/"


def parse_arguments(words: Sequence[str]) -> Arguments:
    """Read ``--name value`` pairs; Glue adds pairs of its own, which are left alone."""
    given = {
        name.removeprefix("--"): value for name, value in pairwise(words) if name.startswith("--")
    }
    names = TransformArguments
    try:
        return Arguments(
            use_case=given[names.USE_CASE],
            run_id=given[names.RUN_ID],
            batch_uri=given[names.BATCH_URI],
            raw_lake_uri=_root(given[names.RAW_LAKE_BUCKET]),
            model_input_uri=_root(given[names.MODEL_INPUT_BUCKET]),
            code_version=given[names.CODE_VERSION],
            code_commit=given.get(names.CODE_COMMIT, UNKNOWN_COMMIT),
            engine=given.get(names.ENGINE, LOCAL_ENGINE),
            analytics_uri=_optional_root(given.get(names.ANALYTICS_BUCKET, "")),
            lookup_table=given.get(names.ANALYTICS_TABLE, ""),
            feature_store=_feature_store(given),
        )
    except KeyError as error:
        raise SystemExit(f"argument --{error.args[0]} is missing") from error


def _feature_store(given: Mapping[str, str]) -> FeatureStoreSettings | None:
    names = TransformArguments
    if names.FEATURE_GROUP_PREFIX not in given:
        return None
    return FeatureStoreSettings(
        offline_uri=_root(given[names.ANALYTICS_BUCKET]),
        group_prefix=given[names.FEATURE_GROUP_PREFIX],
        online_days=int(given[names.ONLINE_DAYS]),
    )


def _root(bucket: str) -> str:
    return f"{bucket.rstrip('/')}/" if "://" in bucket else f"s3://{bucket}/"


def _optional_root(bucket: str) -> str:
    return _root(bucket) if bucket else ""


def main(words: Sequence[str]) -> None:
    """Run the job; exit with one line when the batch is rejected."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(name)s %(message)s"
    )
    arguments = parse_arguments(words)
    storage = storage_of(arguments.model_input_uri)
    run = TransformRun(arguments, load_use_case(arguments.use_case), storage)
    try:
        report = run.publish(start_session(run.input_bytes))
    except BatchRejectedError as error:
        run.report(status="rejected", reason=str(error))
        raise SystemExit(f"batch rejected: {error}") from error
    finally:
        storage.delete_all(arguments.staging_uri)
    logger.info("published %s", report.get("dataset_id"))


def start_session(input_bytes: int = 0) -> SparkSession:
    """Take Glue's session or make one; times are UTC whatever the machine's zone."""
    spark = SparkSession.builder.getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.adaptive.enabled", "true")
    # Two tasks a core: the default of 200 costs a small cluster more than the work itself. More
    # for more data: what one task sorts and joins stays small enough for its share of the memory.
    tasks = max(2 * spark.sparkContext.defaultParallelism, input_bytes // BYTES_PER_TASK)
    spark.conf.set("spark.sql.shuffle.partitions", str(tasks))
    # What is left of a plan is written down whenever a stage of it ends: briefly, then.
    spark.conf.set("spark.sql.ui.explainMode", "simple")
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", BROADCAST_LIMIT)
    spark.conf.set("spark.sql.codegen.hugeMethodLimit", JIT_LIMIT_BYTES)
    return spark


class TransformRun:
    """One run: read and check the sources, build the rows, commit the version, report."""

    def __init__(self, arguments: Arguments, use_case: UseCase, storage: Storage) -> None:
        self._arguments = arguments
        self._use_case = use_case
        self._storage = storage
        self._batch = cast("Batch", json.loads(storage.read(arguments.batch_uri)))
        self._sources = SourceStep(
            use_case,
            self._batch,
            run_id=arguments.run_id,
            raw_lake_uri=arguments.raw_lake_uri,
            staging_uri=arguments.staging_uri,
            storage=storage,
        )
        self._kept: list[DataFrame] = []

    @property
    def input_bytes(self) -> int:
        """Estimate the batch's size as text."""
        objects = self._batch["objects"]
        return sum(
            o["size_bytes"] * (GZIP_RATIO if o["key"].endswith(".gz") else 1) for o in objects
        )

    def publish(self, spark: SparkSession) -> RunReport:
        """Make the dataset version, or raise ``BatchRejectedError``."""
        try:
            valid = self._sources.valid_sources(spark, self._keep)
            snapshots = self._use_case.snapshots().build_snapshots(valid, self._keep)
            manifest = self._commit(with_split(snapshots, self._use_case))
            counts = self._write_analytics(spark, valid, manifest)
            self._ingest(spark, manifest)
        finally:
            for rows in self._kept:
                rows.unpersist()
        return self.report(status="published", reason="", manifest=manifest, counts=counts)

    def report(
        self,
        *,
        status: str,
        reason: str,
        manifest: DatasetManifest | None = None,
        counts: Mapping[str, Mapping[str, int]] | None = None,
    ) -> RunReport:
        """Write what the run says of itself to ``runs/<run id>/report.json``."""
        report: dict[str, object] = {
            "run_id": self._arguments.run_id,
            "batch_id": self._batch["batch_id"],
            "status": status,
            "reason": reason,
            "sources": self._sources.reports,
            **(counts or {}),
        }
        if manifest:
            report["dataset_id"] = manifest["dataset_id"]
            report["manifest_key"] = dataset_key(manifest["dataset_id"], MANIFEST_NAME)
            report["rows"] = manifest["rows"]
            made = manifest["provenance"]
            report["trainable"] = made["trainable"]
            report["untrainable_because"] = made["untrainable_because"]
            report["rows_outside_splits"] = made["rows_outside_splits"]
        uri = f"{self._arguments.model_input_uri}{RUNS_PREFIX}{self._arguments.run_id}/report.json"
        self._storage.write(uri, canonical(report))
        return cast("RunReport", report)

    def _keep(self, rows: DataFrame) -> DataFrame:
        """Compute rows once for many uses: in memory, on the workers' disks what is too much."""
        kept = rows.persist()
        self._kept.append(kept)
        return kept

    def _commit(self, snapshots: DataFrame) -> DatasetManifest:
        arguments = self._arguments
        commit = DatasetCommit(
            self._use_case,
            model_input_uri=arguments.model_input_uri,
            staging_uri=arguments.staging_uri,
            storage=self._storage,
        )
        return commit.commit(snapshots, self._provenance())

    def _ingest(self, spark: SparkSession, manifest: DatasetManifest) -> None:
        """Feed the feature store with the inputs of the committed version."""
        settings = self._arguments.feature_store
        if settings is not None:
            ingest(
                spark,
                self._use_case,
                settings,
                staging_uri=f"{self._arguments.staging_uri}files/",
                manifest=manifest,
                written_at=datetime.now(UTC),
            )

    def _write_analytics(
        self, spark: SparkSession, valid: Mapping[str, DataFrame], manifest: DatasetManifest
    ) -> dict[str, dict[str, int]]:
        """Write what people look at and what predictions are scored by; count both."""
        arguments = self._arguments
        if not arguments.analytics_uri:
            return {}
        dataset_id = manifest["dataset_id"]
        store = AnalyticsStore(arguments.analytics_uri, arguments.lookup_table)
        tables = write_analytics(self._use_case, store, dataset_id, valid, self._keep)
        files = [
            f"{arguments.model_input_uri}{dataset_key(dataset_id, file['path'])}"
            for file in manifest["files"]
        ]
        known_at = newest_arrival(self._batch)
        outcomes = write_outcomes(spark, arguments.analytics_uri, files, known_at)
        logger.info("analytics: %s, outcomes: %s", tables, outcomes)
        return {"analytics": tables, "outcomes": outcomes}

    def _provenance(self) -> Provenance:
        return Provenance(
            batch_id=self._batch["batch_id"],
            run_id=self._arguments.run_id,
            code_version=self._arguments.code_version,
            code_commit=self._arguments.code_commit,
            engine=self._arguments.engine,
            objects=source_objects(self._batch),
            sources=self._sources.reports,
            trainable=True,
            untrainable_because=[],
            rows_outside_splits={},
        )


if __name__ == "__main__":
    main(sys.argv[1:])
