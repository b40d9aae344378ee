"""One Parquet file of a dataset: bytes that follow from the rows, digested as they are written."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_code.data_pipeline.storage import storage_of

FILE_NAME = "data.parquet"
COMPRESSION = "zstd"
ROW_GROUP_ROWS = 65_536
SIGNIFICANT_DIGITS = 6
"""Digits of a statistic: fewer than the order of a sum can change."""


class FileWriter:
    """Collects one folder's rows into row groups of a fixed size, whatever batches they come in."""

    def __init__(self, staging_uri: str, path: str) -> None:
        self.path = path
        self._uri = f"{staging_uri}{path}/{FILE_NAME}"
        self._folder = tempfile.TemporaryDirectory()
        self._file = Path(self._folder.name) / FILE_NAME
        self._parquet: Any = None
        self._pending: list[pa.RecordBatch] = []
        self._statistics = Statistics()
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows; write every row group that they fill."""
        self._pending.append(batch)
        waiting = sum(part.num_rows for part in self._pending)
        while waiting >= ROW_GROUP_ROWS:
            self._write_group()
            waiting -= ROW_GROUP_ROWS

    def close(self) -> dict[str, object]:
        """Write the rest, deliver the file, and tell its path, digest, size, rows, statistics."""
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
            "statistics": json.dumps(self._statistics.summary(), sort_keys=True),
        }

    def _write_group(self) -> None:
        table = pa.Table.from_batches(self._pending)
        group = table.slice(0, ROW_GROUP_ROWS).combine_chunks()
        self._pending = table.slice(ROW_GROUP_ROWS).to_batches()
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._file, group.schema, compression=COMPRESSION)
        self._parquet.write_table(group, row_group_size=ROW_GROUP_ROWS)
        self._statistics.add(group)
        self._rows += group.num_rows


class Statistics:
    """Count, mean, deviation and range of each number, row group by row group."""

    def __init__(self) -> None:
        self._sums: dict[str, list[float]] = {}

    def add(self, rows: pa.Table) -> None:
        """Take rows along."""
        for name, kind in zip(rows.schema.names, rows.schema.types, strict=True):
            if pa.types.is_floating(kind) or pa.types.is_integer(kind):
                values = rows.column(name).drop_null().to_numpy().astype(np.float64)
                self._add(name, values)

    def _add(self, name: str, values: Any) -> None:
        if not len(values):
            return
        count, total, squares, low, high = self._sums.get(name, [0, 0.0, 0.0, np.inf, -np.inf])
        self._sums[name] = [
            count + len(values),
            total + float(values.sum()),
            squares + float((values * values).sum()),
            min(low, float(values.min())),
            max(high, float(values.max())),
        ]

    def summary(self) -> dict[str, dict[str, float]]:
        """Tell the figures; a column without a value has none."""
        summary = {}
        for name, (count, total, squares, low, high) in self._sums.items():
            mean = total / count
            deviation = max(squares / count - mean * mean, 0.0) ** 0.5
            figures = {"mean": mean, "std": deviation, "min": low, "max": high}
            rounded = {k: float(f"{v:.{SIGNIFICANT_DIGITS}g}") for k, v in figures.items()}
            summary[name] = {"count": int(count), **rounded}
        return summary
