"""A dataset version as training reads it: the rows of some months, only the columns asked for."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_code.data_pipeline.contract import (
    ENTITY_COLUMN,
    EVENT_TIME_COLUMN,
    LABEL_COLUMN,
    MANIFEST_NAME,
    PERIOD_COLUMN,
    SPLITS,
    Split,
)

Matrix = npt.NDArray[np.float32]


class DatasetError(ValueError):
    """The dataset cannot be used for training; the message says what is missing or wrong."""


@dataclass(frozen=True)
class Rows:
    """Rows of a dataset in a fixed order: split, then period, then file, then position."""

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def label(self) -> npt.NDArray[np.float64]:
        """1.0 where the event happened, else 0.0."""
        return np.asarray(self._numbers(LABEL_COLUMN), dtype=np.float64)

    @property
    def period(self) -> npt.NDArray[np.str_]:
        """The calendar month of each row, as ``YYYY-MM``."""
        return np.asarray(self.table.column(PERIOD_COLUMN).to_pylist(), dtype=np.str_)

    @property
    def day(self) -> npt.NDArray[np.generic]:
        """The day (UTC) of each row's decision."""
        times = self.table.column(EVENT_TIME_COLUMN).combine_chunks()
        return np.asarray(times.to_numpy(zero_copy_only=False)).astype("datetime64[D]")

    @property
    def entity_id(self) -> list[str]:
        """The stable key of each row."""
        return [str(value) for value in self.table.column(ENTITY_COLUMN).to_pylist()]

    def texts(self, name: str) -> npt.NDArray[np.str_]:
        """Read a column as text, null as an empty one."""
        values = self.table.column(name).to_pylist()
        return np.asarray(["" if value is None else str(value) for value in values], dtype=np.str_)

    def matrix(self, names: Sequence[str]) -> Matrix:
        """Columns as one matrix in the order given, null as NaN."""
        matrix = np.empty((len(self), len(names)), dtype=np.float32)
        for index, name in enumerate(names):
            matrix[:, index] = self._numbers(name)
        return matrix

    def _numbers(self, name: str) -> npt.NDArray[np.generic]:
        column = self.table.column(name).combine_chunks()
        return np.asarray(column.to_numpy(zero_copy_only=False))


def read_rows(
    folder: Path,
    splits: Iterable[Split],
    columns: Sequence[str],
    windows: Mapping[Split, Container[str]] | None = None,
) -> Rows:
    """Read some splits of the dataset in ``folder``: key, label, period and ``columns``.

    With ``windows`` a split is the months that the configuration says, whatever months it had when
    the dataset was made.
    """
    wanted = list(dict.fromkeys([ENTITY_COLUMN, LABEL_COLUMN, *columns]))
    tables = [
        _read_file(path, wanted)
        for split in SPLITS
        if split in set(splits)
        for path in _files_of(folder, split, windows)
    ]
    table = pa.concat_tables(tables, promote_options="permissive")
    if table.num_rows == 0:
        raise DatasetError(f"{folder} holds no rows of {sorted(splits)}")
    if table.column(LABEL_COLUMN).null_count:
        raise DatasetError(f"{folder}: {LABEL_COLUMN} is null in some rows")
    return Rows(table)


def dataset_id_of(folder: Path) -> str:
    """Read the dataset version's own name from its manifest."""
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise DatasetError(f"{path} does not exist: the dataset version was never committed")
    return str(json.loads(path.read_text(encoding="utf-8"))["dataset_id"])


def _files_of(
    folder: Path, split: Split, windows: Mapping[Split, Container[str]] | None
) -> list[Path]:
    pattern = f"split={split if windows is None else '*'}/{PERIOD_COLUMN}=*/*.parquet"
    window = None if windows is None else windows[split]
    files = sorted(
        path for path in folder.glob(pattern) if window is None or _month(path) in window
    )
    if not files:
        raise DatasetError(
            f"{folder}/split={split} holds no {PERIOD_COLUMN}=<YYYY-MM>/*.parquet files"
            if window is None
            else f"{folder} holds no month of the split {split}: {window}"
        )
    return sorted(files, key=lambda path: (_month(path), path))


def _month(path: Path) -> str:
    return path.parent.name.removeprefix(f"{PERIOD_COLUMN}=")


def columns_of(folder: Path) -> frozenset[str]:
    """Name the columns that every file of the dataset has."""
    found = [
        frozenset(pq.read_schema(path).names)
        for path in sorted(folder.glob(f"split=*/{PERIOD_COLUMN}=*/*.parquet"))
    ]
    if not found:
        raise DatasetError(f"{folder} holds no split=<split>/{PERIOD_COLUMN}=<YYYY-MM>/*.parquet")
    return frozenset.intersection(*found)


def _read_file(path: Path, columns: list[str]) -> pa.Table:
    with pq.ParquetFile(path) as file:
        present = set(file.schema_arrow.names)
        missing = [name for name in columns if name not in present]
        if missing:
            raise DatasetError(f"{path} lacks the columns {missing}; it has {sorted(present)}")
        table = file.read(columns=columns, use_threads=False)
    return table.append_column(PERIOD_COLUMN, pa.repeat(_month(path), table.num_rows))
