"""Commits a dataset version: files under the name that their content gives, the manifest last."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import cast

from pyspark.sql import DataFrame, Row

from pipeline_code.data_pipeline.contract import (
    MANIFEST_NAME,
    SAMPLE_REQUESTS_NAME,
    STATISTICS_NAME,
    DatasetFile,
    DatasetManifest,
    Provenance,
)
from pipeline_code.data_pipeline.dataset import (
    canonical,
    dataset_key,
    make_manifest,
    why_not_trainable,
)
from pipeline_code.data_pipeline.dataset_statistics import WrittenFile, dataset_statistics
from pipeline_code.data_pipeline.feature_step import dataset_schema, write_dataset
from pipeline_code.data_pipeline.sampling import choose_samples
from pipeline_code.data_pipeline.source_step import BatchRejectedError
from pipeline_code.data_pipeline.storage import Storage
from pipeline_code.use_case import UseCase

logger = logging.getLogger("dataset_commit")


class DatasetCommit:
    """Writes one version into the model input store."""

    def __init__(
        self, use_case: UseCase, *, model_input_uri: str, staging_uri: str, storage: Storage
    ) -> None:
        self._use_case = use_case
        self._model_input_uri = model_input_uri
        self._staged = f"{staging_uri}files/"
        self._storage = storage

    def commit(self, snapshots: DataFrame, provenance: Provenance) -> DatasetManifest:
        """Write the version's files, or find that it exists; raise when there is no row."""
        described = write_dataset(snapshots, self._use_case, self._staged).collect()
        provenance["rows_outside_splits"] = _outside(described)
        written = [row for row in described if row["sha256"]]
        files = [_dataset_file(row.asDict()) for row in written]
        if not files:
            months = ", ".join(f"{p.first}..{p.last}" for p in self._use_case.split.values())
            raise BatchRejectedError(f"no record falls into the months of the splits: {months}")
        schema = dataset_schema(self._use_case)
        manifest = make_manifest(self._use_case, schema, files, provenance)
        provenance["untrainable_because"] = why_not_trainable(self._use_case, manifest)
        provenance["trainable"] = not provenance["untrainable_because"]
        for file in manifest["files"]:
            path = file["path"]
            self._storage.copy(f"{self._staged}{path}", self._uri(manifest, path))
        statistics = dataset_statistics(
            self._use_case,
            schema,
            manifest["dataset_id"],
            [WrittenFile.of(row["path"], row["rows"], row["statistics"]) for row in written],
        )
        self._write(manifest, STATISTICS_NAME, canonical(statistics))
        requests = choose_samples(row["samples"] for row in written)
        lines = b"".join(canonical(request) + b"\n" for request in requests)
        self._write(manifest, SAMPLE_REQUESTS_NAME, lines)
        uri = self._uri(manifest, MANIFEST_NAME)
        if not self._storage.write_once(uri, canonical(manifest)):
            logger.info("dataset %s existed already", manifest["dataset_id"])
        return manifest

    def _write(self, manifest: DatasetManifest, name: str, content: bytes) -> None:
        self._storage.write(self._uri(manifest, name), content)

    def _uri(self, manifest: DatasetManifest, name: str) -> str:
        return f"{self._model_input_uri}{dataset_key(manifest['dataset_id'], name)}"


def _outside(described: Iterable[Row]) -> dict[str, int]:
    """Count the rows of months that belong to no split, by month."""
    unused = {row["path"]: row["rows"] for row in described if not row["sha256"]}
    return {path.rsplit("=", 1)[1]: rows for path, rows in sorted(unused.items())}


def _dataset_file(row: Mapping[str, object]) -> DatasetFile:
    kept = {name: row[name] for name in DatasetFile.__annotations__}
    return cast("DatasetFile", kept)
