"""The one place where Spark calls Python: sorted snapshots become features and files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from pipeline_code.data_pipeline.contract import (
    ENTITY_COLUMN,
    EVENT_TIME_COLUMN,
    LABEL_COLUMN,
    PERIOD_COLUMN,
    SPLIT_COLUMN,
)
from pipeline_code.data_pipeline.dataset_file import FileWriter
from pipeline_code.data_pipeline.dataset_statistics import FileSummary
from pipeline_code.data_pipeline.sampling import DRAW_COLUMN, SampleDraw
from pipeline_code.data_pipeline.staged_inputs import StagedInputs
from pipeline_code.use_case import UseCase, load_use_case

ARROW_TYPES = {
    "string": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "float": pa.float32(),
}
OUTSIDE_SPLITS = "outside"
"""Stands for a split in rows of months that belong to none; they are counted, not written."""
WRITTEN = (
    "path string, sha256 string, size_bytes bigint, rows bigint, statistics string, samples string"
)
"""What a written file says of itself; ``statistics`` and ``samples`` are JSON."""


def dataset_schema(use_case: UseCase) -> dict[str, str]:
    """Name the columns of the dataset's files and their Arrow types, in their order."""
    features = use_case.features()
    kept = {
        ENTITY_COLUMN: "string",
        EVENT_TIME_COLUMN: "timestamp",
        LABEL_COLUMN: "int8",
        **dict.fromkeys(use_case.slices, "string"),
    }
    made = {
        name: "int16" if name in features.CATEGORIES else "float"
        for group in features.FEATURES.values()
        for name in group
    }
    return {**kept, **made}


def with_split(snapshots: DataFrame, use_case: UseCase) -> DataFrame:
    """Add the split that each snapshot's month falls in, ``outside`` for one that is in none."""
    split: Column = F.lit(OUTSIDE_SPLITS)
    for name, months in use_case.split.items():
        within = F.col(PERIOD_COLUMN).between(months.first, months.last)
        split = F.when(within, F.lit(name)).otherwise(split)
    return snapshots.withColumn(SPLIT_COLUMN, split)


def write_dataset(snapshots: DataFrame, use_case: UseCase, staging_uri: str) -> DataFrame:
    """Write a file for each split and period, rows in the order of event time and entity.

    The bytes follow from the rows alone: neither the files that they came in, nor the number of
    partitions, nor the order of arrival changes them. (Spark's own writer lists a column's
    encodings in an order that differs from one Java process to the next.)
    """
    parts = [SPLIT_COLUMN, PERIOD_COLUMN]
    drawn = snapshots.withColumn(DRAW_COLUMN, F.xxhash64(ENTITY_COLUMN))
    ordered = drawn.repartition(*parts).sortWithinPartitions(
        *parts, EVENT_TIME_COLUMN, ENTITY_COLUMN
    )
    return ordered.mapInArrow(_write_step(use_case.name, staging_uri), WRITTEN)


def _write_step(
    use_case_name: str, staging_uri: str
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        use_case = load_use_case(use_case_name)
        folder: _FolderWithInputs | None = None
        for path, batch in _runs(batches):
            if folder is None or folder.path != path:
                if folder is not None:
                    yield folder.close()
                folder = _folder(use_case, staging_uri, path)
            folder.add(batch)
        if folder is not None:
            yield folder.close()

    return write


def _folder(use_case: UseCase, staging_uri: str, path: str) -> _FolderWithInputs:
    unused = path.startswith(f"{SPLIT_COLUMN}={OUTSIDE_SPLITS}/")
    folder = _UnusedFolder(path) if unused else _Folder(use_case, staging_uri, path)
    return _FolderWithInputs(folder, StagedInputs(use_case, staging_uri, path))


class _FolderWithInputs:
    """A folder whose rows' inputs are set aside for the feature store, those unused too."""

    def __init__(self, folder: _Folder | _UnusedFolder, inputs: StagedInputs) -> None:
        self.path = folder.path
        self._folder = folder
        self._inputs = inputs

    def add(self, snapshots: pa.RecordBatch) -> None:
        self._folder.add(snapshots)
        self._inputs.add(snapshots)

    def close(self) -> pa.RecordBatch:
        self._inputs.close()
        return self._folder.close()


class _UnusedFolder:
    """A month that belongs to no split: its rows are counted."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._rows = 0

    def add(self, snapshots: pa.RecordBatch) -> None:
        self._rows += snapshots.num_rows

    def close(self) -> pa.RecordBatch:
        counted = {"path": self.path, "sha256": "", "size_bytes": 0, "rows": self._rows}
        return pa.RecordBatch.from_pylist([counted | {"statistics": "{}", "samples": "[]"}])


class _Folder:
    """One split and period on its way into a file, requests drawn from it in passing."""

    def __init__(self, use_case: UseCase, staging_uri: str, path: str) -> None:
        self.path = path
        self._use_case = use_case
        self._schema = dataset_schema(use_case)
        self._file = FileWriter(staging_uri, path, FileSummary(use_case, self._schema))
        self._samples = SampleDraw(use_case)

    def add(self, snapshots: pa.RecordBatch) -> None:
        self._file.add(to_features(snapshots, self._use_case, self._schema))
        self._samples.add(snapshots)

    def close(self) -> pa.RecordBatch:
        described = self._file.close() | {"samples": self._samples.to_json()}
        return pa.RecordBatch.from_pylist([described])


def _runs(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Cut batches where the split or the period changes; name each piece's folder."""
    for batch in batches:
        splits = batch.column(SPLIT_COLUMN).to_numpy(zero_copy_only=False)
        periods = batch.column(PERIOD_COLUMN).to_numpy(zero_copy_only=False)
        changes = np.flatnonzero((splits[1:] != splits[:-1]) | (periods[1:] != periods[:-1])) + 1
        bounds = [0, *changes.tolist(), batch.num_rows]
        for first, end in pairwise(bounds):
            folder = f"{SPLIT_COLUMN}={splits[first]}/{PERIOD_COLUMN}={periods[first]}"
            yield folder, batch.slice(first, end - first)


def to_features(batch: pa.RecordBatch, use_case: UseCase, schema: dict[str, str]) -> pa.RecordBatch:
    """Turn a batch of snapshots into rows of the dataset."""
    columns = {f.name: _column(batch.column(f.name), f.type) for f in use_case.input_fields}
    features = use_case.features().row_features(columns)
    arrays = [
        pa.array(features[name], type=ARROW_TYPES[kind], from_pandas=True)
        if name in features
        else batch.column(name).cast(ARROW_TYPES[kind])
        for name, kind in schema.items()
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(schema))


def _column(array: Any, kind: str) -> Any:
    """Make an input column as ``use_case.as_column`` makes it of JSON values."""
    if kind in ("string", "datetime"):
        return array.to_numpy(zero_copy_only=False)
    return array.cast(pa.float64()).to_numpy(zero_copy_only=False)
