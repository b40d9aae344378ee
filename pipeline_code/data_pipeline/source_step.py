"""Reads a batch's sources: broken files and records to quarantine, a broken feed to rejection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from graphlib import TopologicalSorter

from pyspark.sql import DataFrame, SparkSession

from pipeline_code.data_pipeline.contract import (
    QUARANTINE_PREFIX,
    Batch,
    BatchObject,
    SourceReport,
)
from pipeline_code.data_pipeline.dataset import canonical
from pipeline_code.data_pipeline.quarantine import broken_files, broken_records
from pipeline_code.data_pipeline.records import mark_records, no_records, valid_records
from pipeline_code.data_pipeline.source_files import LandedFile, SourceFile, inspect_files
from pipeline_code.data_pipeline.source_report import count_files, count_records, measure_lags
from pipeline_code.data_pipeline.storage import Storage
from pipeline_code.use_case import SourceContract, UseCase

logger = logging.getLogger("source_step")

BROKEN_FILES_NAME = "files.json"
FEW_FAULTS = 3
"""Broken files whose reason a rejection repeats."""


class BatchRejectedError(Exception):
    """The batch cannot become a dataset; the message says which source or file breaks what."""


class SourceStep:
    """The sources of one run, from landed objects to valid records."""

    def __init__(
        self,
        use_case: UseCase,
        batch: Batch,
        *,
        run_id: str,
        raw_lake_uri: str,
        staging_uri: str,
        storage: Storage,
    ) -> None:
        self._contracts = use_case.sources
        self._batch = batch
        self._run_id = run_id
        self._raw_lake_uri = raw_lake_uri
        self._staging_uri = staging_uri
        self._storage = storage
        self.reports: dict[str, SourceReport] = {}

    def valid_sources(
        self, spark: SparkSession, keep: Callable[[DataFrame], DataFrame]
    ) -> dict[str, DataFrame]:
        """Give the valid records of every source, or raise ``BatchRejectedError``.

        Sources that others refer to are read first; ``keep`` has records checked only once.
        """
        files = self._files(spark)
        valid: dict[str, DataFrame] = {}
        for contract in in_order_of_reference(self._contracts):
            usable = [file for file in files[contract.name] if not file.rule]
            if not usable:
                valid[contract.name] = no_records(spark, contract)
                continue
            checked = keep(mark_records(spark, contract, usable, valid))
            self._account(contract, checked, files[contract.name])
            valid[contract.name] = valid_records(checked, contract)
        measure_lags(self.reports, self._contracts.values())
        return valid

    def _files(self, spark: SparkSession) -> dict[str, list[SourceFile]]:
        """Pin and inspect all files; set the broken ones aside."""
        landed = [file for contract in self._contracts.values() for file in self._landed(contract)]
        inspected = inspect_files(spark, landed)
        files = {
            name: [file for file in inspected if file.source == name] for name in self._contracts
        }
        for name, contract in self._contracts.items():
            self.reports[name] = count_files(contract, files[name])
        for name, contract in self._contracts.items():
            self._set_files_aside(contract, files[name])
        for name, contract in self._contracts.items():
            check_files(contract, files[name])
        return files

    def _landed(self, contract: SourceContract) -> list[LandedFile]:
        objects = [o for o in self._batch["objects"] if o["source"] == contract.name]
        if not objects and contract.required:
            raise BatchRejectedError(f"source {contract.name!r}: the batch has no file of it")
        in_order = sorted(objects, key=lambda item: item["key"])
        return [self._landed_file(contract, *numbered) for numbered in enumerate(in_order)]

    def _landed_file(self, contract: SourceContract, number: int, item: BatchObject) -> LandedFile:
        return LandedFile(
            source=contract.name,
            number=number,
            key=item["key"],
            uri=f"{self._raw_lake_uri}{item['key']}",
            version_id=item["version_id"],
            size_bytes=item["size_bytes"],
            staging_uri=f"{self._staging_uri}raw/",
            columns=tuple(c.name for c in contract.columns if not c.optional),
        )

    def _account(
        self, contract: SourceContract, checked: DataFrame, files: Sequence[SourceFile]
    ) -> None:
        """Count a source's records, put the broken ones aside, reject a broken feed."""
        report = self.reports[contract.name]
        lost = report["rows_quarantined"]
        count_records(report, checked, contract)
        logger.info("%s: %s", contract.name, report)
        if report["rows_quarantined"] > lost:
            entries = broken_records(checked, contract, files)
            entries.write.mode("overwrite").json(self._aside(contract), ignoreNullFields=False)
            self._set_files_aside(contract, files)
        check_records(contract, report, lost)

    def _set_files_aside(self, contract: SourceContract, files: Sequence[SourceFile]) -> None:
        broken = [file for file in files if file.rule]
        if broken:
            lines = b"".join(canonical(entry) + b"\n" for entry in broken_files(broken))
            self._storage.write(f"{self._aside(contract)}{BROKEN_FILES_NAME}", lines)

    def _aside(self, contract: SourceContract) -> str:
        return f"{self._raw_lake_uri}{QUARANTINE_PREFIX}{contract.name}/run={self._run_id}/"


def in_order_of_reference(contracts: Mapping[str, SourceContract]) -> list[SourceContract]:
    """Put sources after those that they refer to."""
    graph = {
        name: [reference.source for reference in contract.references]
        for name, contract in contracts.items()
    }
    return [contracts[name] for name in TopologicalSorter(graph).static_order()]


def check_files(contract: SourceContract, files: Sequence[SourceFile]) -> None:
    """Reject a batch whose source has too many broken files, or no other."""
    broken = [file for file in files if file.rule]
    share = contract.max_quarantined_files_share
    if broken and (len(broken) == len(files) or len(broken) > share * len(files)):
        reasons = "; ".join(f"{file.key}: {file.reason}" for file in broken[:FEW_FAULTS])
        raise BatchRejectedError(
            f"source {contract.name!r}: {len(broken)} of {len(files)} files are broken, at most"
            f" {share:.0%} may be: {reasons}{'; …' * (len(broken) > FEW_FAULTS)}"
        )


def check_records(contract: SourceContract, report: SourceReport, lost: int) -> None:
    """Judge the records of the files that were read; whole files have a budget of their own."""
    broken, read = report["rows_quarantined"] - lost, report["rows_read"] - lost
    if not report["rows_valid"]:
        raise BatchRejectedError(f"source {contract.name!r}: none of {read} records is valid")
    if broken > contract.max_quarantined_share * read:
        raise BatchRejectedError(
            f"source {contract.name!r}: {broken} of {read} records are broken {report['reasons']},"
            f" at most {contract.max_quarantined_share:.0%} may be; see the quarantine"
        )
