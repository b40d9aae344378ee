"""The inputs of a run's rows, set aside for the feature store while the dataset is written."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline_code.data_pipeline.contract import ENTITY_COLUMN, EVENT_TIME_COLUMN
from pipeline_code.data_pipeline.storage import Storage, storage_of
from pipeline_code.source_contract import Field
from pipeline_code.use_case import UseCase

FILE_NAME = "inputs.parquet"
COMPRESSION = "lz4"
"""The file lives as long as the run: what is quick to write and to read."""
TYPES = {
    "string": pa.string(),
    "datetime": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
}


class StagedInputs:
    """Collects the inputs of one folder's rows, in their order."""

    def __init__(self, use_case: UseCase, staging_uri: str, path: str) -> None:
        self._fields = use_case.input_fields
        self._uri = f"{staging_uri}{path}/{FILE_NAME}"
        self._folder = tempfile.TemporaryDirectory()
        self._file = Path(self._folder.name) / FILE_NAME
        self._parquet: Any = None

    def add(self, snapshots: pa.RecordBatch) -> None:
        """Take rows along."""
        rows = _inputs(snapshots, self._fields)
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._file, rows.schema, compression=COMPRESSION)
        self._parquet.write_batch(rows)

    def close(self) -> None:
        """Deliver the file."""
        self._parquet.close()
        storage_of(self._uri).write(self._uri, self._file.read_bytes())
        self._folder.cleanup()


def read_inputs(storage: Storage, uri: str) -> pa.Table:
    """Read a file that was set aside."""
    return pq.read_table(io.BytesIO(storage.read(uri)))


def _inputs(snapshots: pa.RecordBatch, fields: Iterable[Field]) -> pa.RecordBatch:
    columns = {name: snapshots.column(name) for name in (ENTITY_COLUMN, EVENT_TIME_COLUMN)}
    for field in fields:
        columns[field.name] = _typed(snapshots.column(field.name), TYPES[field.type])
    return pa.RecordBatch.from_pydict(columns)


def _typed(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Cast to the contract's type; what is no number is no value."""
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    return values.cast(kind)
