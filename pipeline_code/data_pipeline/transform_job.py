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
from itertools import pairwise
from typing import cast

from pyspark.sql import DataFrame, SparkSession

from pipeline_code.data_pipeline.contract import (
    DATASETS_PREFIX,
    MANIFEST_NAME,
    QUARANTINE_PREFIX,
    RUNS_PREFIX,
    SAMPLE_REQUESTS_NAME,
    STAGING_PREFIX,
    STATISTICS_NAME,
    Batch,
    BatchObject,
    DatasetFile,
    DatasetManifest,
    RunReport,
    SourceReport,
    TransformArguments,
)
from pipeline_code.data_pipeline.dataset import (
    canonical,
    make_manifest,
)
from pipeline_code.data_pipeline.feature_step import dataset_schema, with_split, write_dataset
from pipeline_code.data_pipeline.records import (
    FILE,
    GZIP_MAGIC,
    BatchRejectedError,
    SourceFile,
    check_records,
    count_records,
    header_of,
    quarantined_records,
    valid_records,
)
from pipeline_code.data_pipeline.sampling import choose_samples
from pipeline_code.data_pipeline.storage import Storage, storage_of
from pipeline_code.use_case import SourceContract, UseCase, load_use_case

logger = logging.getLogger("transform_job")

BROADCAST_LIMIT = "64MB"
"""Kept tables are measured as they lie in memory, several times their size in files."""
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
        )
    except KeyError as error:
        raise SystemExit(f"argument --{error.args[0]} is missing") from error


def _root(bucket: str) -> str:
    return f"{bucket.rstrip('/')}/" if "://" in bucket else f"s3://{bucket}/"


def main(words: Sequence[str]) -> None:
    """Run the job; exit with one line when the batch is rejected."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(name)s %(message)s"
    )
    arguments = parse_arguments(words)
    storage = storage_of(arguments.model_input_uri)
    run = TransformRun(arguments, load_use_case(arguments.use_case), storage)
    try:
        report = run.publish(start_session())
    except BatchRejectedError as error:
        run.report(status="rejected", reason=str(error))
        raise SystemExit(f"batch rejected: {error}") from error
    finally:
        storage.delete_all(arguments.staging_uri)
    logger.info("published %s", report.get("dataset_id"))


def start_session() -> SparkSession:
    """Take Glue's session or make one; times are UTC whatever the machine's zone."""
    spark = SparkSession.builder.getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.adaptive.enabled", "true")
    # Two tasks a core: the default of 200 costs a small cluster more than the work itself.
    tasks = 2 * spark.sparkContext.defaultParallelism
    spark.conf.set("spark.sql.shuffle.partitions", str(tasks))
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
        self._sources: dict[str, SourceReport] = {}
        self._kept: list[DataFrame] = []

    def publish(self, spark: SparkSession) -> RunReport:
        """Make the dataset version, or raise ``BatchRejectedError``."""
        try:
            valid = self._valid_sources(spark)
            snapshots = self._use_case.snapshots().build_snapshots(valid, self._keep)
            manifest = self._commit(with_split(snapshots, self._use_case))
        finally:
            for rows in self._kept:
                rows.unpersist()
        return self.report(status="published", reason="", manifest=manifest)

    def report(
        self, *, status: str, reason: str, manifest: DatasetManifest | None = None
    ) -> RunReport:
        """Write what the run says of itself to ``runs/<run id>/report.json``."""
        report = {
            "run_id": self._arguments.run_id,
            "batch_id": self._batch["batch_id"],
            "status": status,
            "reason": reason,
            "sources": self._sources,
        }
        if manifest:
            report["dataset_id"] = manifest["dataset_id"]
            report["manifest_key"] = _dataset_key(manifest, MANIFEST_NAME)
            report["rows"] = manifest["rows"]
        uri = f"{self._arguments.model_input_uri}{RUNS_PREFIX}{self._arguments.run_id}/report.json"
        self._storage.write(uri, canonical(report))
        return cast("RunReport", report)

    def _valid_sources(self, spark: SparkSession) -> dict[str, DataFrame]:
        """Read every source, those that others refer to first."""
        contracts = self._use_case.sources.values()
        files = {contract.name: self._source_files(contract) for contract in contracts}
        valid: dict[str, DataFrame] = {}
        for contract in sorted(contracts, key=lambda contract: len(contract.references)):
            checked = check_records(spark, contract, files[contract.name], valid)
            checked = self._keep(checked)
            self._account(contract, checked)
            valid[contract.name] = valid_records(checked, contract)
        return valid

    def _keep(self, rows: DataFrame) -> DataFrame:
        """Compute rows once for many uses: in memory, on the workers' disks what is too much."""
        kept = rows.persist()
        self._kept.append(kept)
        return kept

    def _source_files(self, contract: SourceContract) -> list[SourceFile]:
        """Pin the batch's object versions by copies that no later delivery changes."""
        objects = [o for o in self._batch["objects"] if o["source"] == contract.name]
        if not objects:
            raise BatchRejectedError(f"source {contract.name!r}: the batch has no file of it")
        return [self._pin_or_set_aside(contract, *numbered) for numbered in enumerate(objects)]

    def _pin_or_set_aside(
        self, contract: SourceContract, number: int, item: BatchObject
    ) -> SourceFile:
        """Pin a file; one that cannot be read at all goes to quarantine whole, with its reason."""
        try:
            return self._pin(contract, number, item)
        except BatchRejectedError as error:
            entry = {
                "source_file": item["key"],
                "line": 1,
                "rule": FILE,
                "column": None,
                "value": None,
                "reason": str(error),
                "version_id": item["version_id"],
            }
            target = f"{QUARANTINE_PREFIX}{contract.name}/run={self._arguments.run_id}/file.json"
            self._storage.write(f"{self._arguments.raw_lake_uri}{target}", canonical(entry))
            raise

    def _pin(self, contract: SourceContract, number: int, item: BatchObject) -> SourceFile:
        if not item["size_bytes"]:
            raise BatchRejectedError(f"{item['key']}: is empty; it must begin with a header line")
        landed = f"{self._arguments.raw_lake_uri}{item['key']}"
        head = self._storage.head(landed, item["version_id"])
        header = header_of(item["key"], head, contract)
        # Spark tells compression by the name.
        suffix = "csv.gz" if head.startswith(GZIP_MAGIC) else "csv"
        uri = f"{self._arguments.staging_uri}raw/{contract.name}/{number:05d}.{suffix}"
        self._storage.copy(landed, uri, item["version_id"])
        return SourceFile(uri=uri, key=item["key"], header=header)

    def _account(self, contract: SourceContract, checked: DataFrame) -> None:
        """Count a source's records, put the broken ones aside, reject a broken feed."""
        report = self._sources[contract.name] = count_records(checked)
        logger.info("%s: %s", contract.name, report)
        if report["rows_quarantined"]:
            target = f"{QUARANTINE_PREFIX}{contract.name}/run={self._arguments.run_id}/"
            uri = f"{self._arguments.raw_lake_uri}{target}"
            quarantined_records(checked).coalesce(1).write.mode("overwrite").json(
                uri, ignoreNullFields=False
            )
        _check_feed(contract, report)

    def _commit(self, snapshots: DataFrame) -> DatasetManifest:
        """Write the files under the name that their content gives them, the manifest last."""
        staged = f"{self._arguments.staging_uri}files/"
        written = write_dataset(snapshots, self._use_case, staged).collect()
        if not written:
            months = ", ".join(f"{p.first}..{p.last}" for p in self._use_case.split.values())
            raise BatchRejectedError(f"no record falls into the months of the splits: {months}")
        manifest = make_manifest(
            self._use_case,
            dataset_schema(self._use_case),
            [_dataset_file(row.asDict()) for row in written],
            self._provenance(),
        )
        for file in manifest["files"]:
            path = file["path"]
            self._storage.copy(f"{staged}{path}", self._dataset_uri(manifest, path))
        statistics = {row["path"]: json.loads(row["statistics"]) for row in written}
        self._storage.write(self._dataset_uri(manifest, STATISTICS_NAME), canonical(statistics))
        requests = choose_samples(row["samples"] for row in written)
        lines = b"".join(canonical(request) + b"\n" for request in requests)
        self._storage.write(self._dataset_uri(manifest, SAMPLE_REQUESTS_NAME), lines)
        uri = self._dataset_uri(manifest, MANIFEST_NAME)
        if not self._storage.write_once(uri, canonical(manifest)):
            logger.info("dataset %s existed already", manifest["dataset_id"])
        return manifest

    def _provenance(self) -> dict[str, object]:
        return {
            "batch_id": self._batch["batch_id"],
            "run_id": self._arguments.run_id,
            "code_version": self._arguments.code_version,
            "sources": self._sources,
        }

    def _dataset_uri(self, manifest: DatasetManifest, name: str) -> str:
        return f"{self._arguments.model_input_uri}{_dataset_key(manifest, name)}"


def _dataset_file(row: Mapping[str, object]) -> DatasetFile:
    kept = {name: row[name] for name in DatasetFile.__annotations__}
    return cast("DatasetFile", kept)


def _dataset_key(manifest: Mapping[str, object], name: str) -> str:
    return f"{DATASETS_PREFIX}{manifest['dataset_id']}/{name}"


def _check_feed(contract: SourceContract, report: SourceReport) -> None:
    broken, read = report["rows_quarantined"], report["rows_read"]
    if not report["rows_valid"]:
        raise BatchRejectedError(f"source {contract.name!r}: none of {read} records is valid")
    if broken > contract.max_quarantined_share * read:
        raise BatchRejectedError(
            f"source {contract.name!r}: {broken} of {read} records are broken {report['reasons']},"
            f" at most {contract.max_quarantined_share:.0%} may be; see the quarantine"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
