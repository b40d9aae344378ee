"""Reading a dataset version: splits, periods, and columns that are not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_code.training_pipeline.dataset import DatasetError, dataset_id_of, read_rows
from tests.fixtures.tiny_dataset import ROWS


def test_rows_come_month_by_month_with_only_the_columns_asked_for(tiny_folder: Path) -> None:
    rows = read_rows(tiny_folder, ("train", "validation"), ["level"])

    assert len(rows) == 5 * ROWS
    assert rows.period[0] == "2020-01"
    assert rows.period[-1] == "2020-05"
    assert rows.table.column_names == ["entity_id", "label", "level", "period"]


def test_a_matrix_holds_the_columns_in_the_order_given_as_float32(tiny_folder: Path) -> None:
    rows = read_rows(tiny_folder, ("test",), ["level", "shop_code"])

    matrix = rows.matrix(["shop_code", "level"])

    assert matrix.dtype == np.float32
    assert set(matrix[:, 0]) == {0.0, 1.0}


def test_null_is_read_as_nan(tmp_path: Path) -> None:
    path = tmp_path / "split=test" / "period=2020-06"
    path.mkdir(parents=True)
    table = pa.table({"entity_id": ["a"], "label": [1], "x": pa.array([None], pa.float32())})
    pq.write_table(table, path / "data.parquet")

    assert np.isnan(read_rows(tmp_path, ("test",), ["x"]).matrix(["x"])[0, 0])


def test_a_missing_column_is_named(tiny_folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"lacks the columns \['colour'\]"):
        read_rows(tiny_folder, ("test",), ["level", "colour"])


def test_a_missing_split_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="split=train"):
        read_rows(tmp_path, ("train",), ["level"])


def test_a_dataset_without_manifest_was_never_committed(tiny_folder: Path, tmp_path: Path) -> None:
    assert dataset_id_of(tiny_folder) == "dataset-1"
    with pytest.raises(DatasetError, match="never committed"):
        dataset_id_of(tmp_path)
