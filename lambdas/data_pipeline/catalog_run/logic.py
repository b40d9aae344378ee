"""Decides which partitions and look-up tables come of a run's report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from lambdas.data_pipeline.contract import CatalogRunRequest, CatalogRunResponse
from pipeline_code.data_pipeline.contract import (
    DATASET_TABLE,
    DATASETS_PREFIX,
    LABEL_BUCKETS,
    LABEL_ROWS_PREFIX,
    LABEL_TABLE,
    QUARANTINE_PREFIX,
    QUARANTINE_TABLE,
    DatasetManifest,
    RunReport,
    analytics_folder,
)

COLUMN_TYPES = {
    "string": "string",
    "timestamp": "timestamp",
    "int8": "tinyint",
    "int16": "smallint",
    "float": "float",
}
"""Types of the manifest's schema and the catalog's."""
DATASET_KEYS = ("dataset", "split", "period")


class Partition(NamedTuple):
    """A part of a table: the values of its keys, and where it lies."""

    values: tuple[str, ...]
    location: str


class LatestDataset(NamedTuple):
    """The dataset version that is the latest, and since when."""

    dataset_id: str
    published_at: str


class Runs(Protocol):
    """What runs say of themselves and of the datasets that they made."""

    def report(self, run_id: str) -> RunReport | None:
        """Read a run's report; a run that died has none."""

    def manifest(self, key: str) -> DatasetManifest:
        """Read a dataset's manifest."""


class Zones(Protocol):
    """Addresses of the zones."""

    def raw_lake(self, key: str) -> str:
        """Give an address in the raw lake."""

    def model_input(self, key: str) -> str:
        """Give an address in the model input store."""

    def analytics(self, key: str) -> str:
        """Give an address in the analytics store."""


class Catalog(Protocol):
    """The catalog's tables."""

    def declare(
        self, table: str, columns: Mapping[str, str], keys: Sequence[str], location: str
    ) -> None:
        """Make a Parquet table, or give it these columns."""

    def register(self, table: str, partitions: Sequence[Partition]) -> None:
        """Add partitions to a table; those that are there stay as they are."""


class Lookups(Protocol):
    """The look-up table's pointers."""

    def latest(self) -> LatestDataset | None:
        """Read which dataset version is the latest."""

    def point(self, table: str, rows: int, latest: LatestDataset) -> None:
        """Let look-ups in a table find the rows of a dataset version, unless a newer one does."""


def catalog_run(
    request: CatalogRunRequest, runs: Runs, zones: Zones, catalog: Catalog, lookups: Lookups
) -> CatalogRunResponse:
    """Register what a run wrote; a repeated call changes nothing."""
    report = runs.report(request["run_id"])
    if report is None:
        return {"partitions": {}, "looked_up": []}
    parts = {QUARANTINE_TABLE: list(quarantine_partitions(report, zones))}
    if report["status"] == "published":
        manifest = runs.manifest(report["manifest_key"])
        columns = {name: COLUMN_TYPES[kind] for name, kind in manifest["schema"].items()}
        catalog.declare(DATASET_TABLE, columns, DATASET_KEYS, zones.model_input(DATASETS_PREFIX))
        parts |= published_partitions(report, manifest, zones)
    registered = {table: found for table, found in parts.items() if found}
    for table, found in registered.items():
        catalog.register(table, found)
    return {
        "partitions": {table: len(found) for table, found in registered.items()},
        "looked_up": _point(report, lookups),
    }


def quarantine_partitions(report: RunReport, zones: Zones) -> Iterable[Partition]:
    """Name the folders in which a run left broken records or files."""
    for source, counts in report["sources"].items():
        if counts["rows_quarantined"] or counts["files_quarantined"]:
            folder = f"{QUARANTINE_PREFIX}{source}/run={report['run_id']}/"
            yield Partition((source, report["run_id"]), zones.raw_lake(folder))


def published_partitions(
    report: RunReport, manifest: DatasetManifest, zones: Zones
) -> dict[str, list[Partition]]:
    """Name the folders of a dataset version, its analytics tables and the outcomes."""
    dataset_id = manifest["dataset_id"]
    parts = {DATASET_TABLE: [_of_file(dataset_id, f["path"], zones) for f in manifest["files"]]}
    for table in report.get("analytics", {}):
        location = zones.analytics(analytics_folder(table, dataset_id))
        parts[table] = [Partition((dataset_id,), location)]
    if report.get("outcomes", {}).get("known"):
        parts[LABEL_TABLE] = [
            Partition((bucket,), zones.analytics(f"{LABEL_ROWS_PREFIX}bucket={bucket}/"))
            for bucket in LABEL_BUCKETS
        ]
    return parts


def _of_file(dataset_id: str, path: str, zones: Zones) -> Partition:
    folder = path.rsplit("/", 1)[0]
    values = tuple(part.split("=", 1)[1] for part in folder.split("/"))
    location = zones.model_input(f"{DATASETS_PREFIX}{dataset_id}/{folder}/")
    return Partition((dataset_id, *values), location)


def _point(report: RunReport, lookups: Lookups) -> list[str]:
    """Swap the look-ups to the run's rows if its dataset is still the latest."""
    tables = report.get("analytics", {})
    latest = lookups.latest() if tables else None
    if latest is None or latest.dataset_id != report.get("dataset_id"):
        return []
    for table, rows in tables.items():
        lookups.point(table, rows, latest)
    return sorted(tables)
