"""One Parquet file of a dataset: bytes that follow from the rows, digested as they are written."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_code.data_pipeline.dataset_statistics import FileSummary
from pipeline_code.data_pipeline.storage import storage_of

FILE_NAME = "data.parquet"
COMPRESSION = "zstd"
ROW_GROUP_ROWS = 65_536


class FileWriter:
    """Collects one folder's rows into row groups of a fixed size, whatever batches they come in."""

    def __init__(self, staging_uri: str, path: str, summary: FileSummary) -> None:
        self.path = path
        self._uri = f"{staging_uri}{path}/{FILE_NAME}"
        self._folder = tempfile.TemporaryDirectory()
        self._file = Path(self._folder.name) / FILE_NAME
        self._parquet: Any = None
        self._pending: list[pa.RecordBatch] = []
        self._summary = summary
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows; write every row group that they fill."""
        self._pending.append(batch)
        waiting = sum(part.num_rows for part in self._pending)
        while waiting >= ROW_GROUP_ROWS:
            self._write_group()
            waiting -= ROW_GROUP_ROWS

    def close(self) -> dict[str, object]:
        """Write the rest, deliver the file, and tell path, digest, size, rows, statistics."""
        if self._pending or self._parquet is None:
            self._write_group()
        self._parquet.close()
        content = self._file.read_bytes()
        storage_of(self._uri).write(self._uri, content)
        self._folder.cleanup()
        return {
            "path": f"{self.path}/{FILE_NAME}",
            "sha256": hashlib.sha256(content).hexdigest(),
            "size_bytes": len(content),
            "rows": self._rows,
            "statistics": self._summary.to_json(),
        }

    def _write_group(self) -> None:
        table = pa.Table.from_batches(self._pending)
        group = table.slice(0, ROW_GROUP_ROWS).combine_chunks()
        self._pending = table.slice(ROW_GROUP_ROWS).to_batches()
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._file, group.schema, compression=COMPRESSION)
        self._parquet.write_table(group, row_group_size=ROW_GROUP_ROWS)
        self._summary.add(group)
        self._rows += group.num_rows
