"""What both peers share: zones' clocks, and row-level features written batch by batch."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_code.use_case import UseCase, load_use_case

USE_CASE = load_use_case("flight_delays")
HOME, CARIBBEAN = ZoneInfo("America/New_York"), "America/Puerto_Rico"
CARIBBEAN_AIRPORTS = ("BQN", "PSE", "SJU", "STT")
IDENTITY = ("entity_id", "label")


def zone_shifts(dates: Iterable[date], zones: Iterable[str]) -> dict[str, list[Any]]:
    """Minutes that each zone's clock is ahead of home at noon UTC of each date."""
    found: dict[str, list[Any]] = {"date": [], "zone": [], "shift": []}
    for day in dates:
        noon = datetime.combine(day, time(12), ZoneInfo("UTC"))
        home = _offset(noon, HOME)
        for zone in zones:
            found["date"].append(day)
            found["zone"].append(zone)
            found["shift"].append(_offset(noon, ZoneInfo(zone)) - home)
    return found


def _offset(noon: datetime, zone: ZoneInfo) -> int:
    offset = noon.astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds() // 60)


def write_features(batches: Iterable[pa.RecordBatch], file: Path) -> int:
    """Turn batches of inputs into features and write them; tell how many rows."""
    writer: Any = None
    rows = 0
    for batch in batches:
        table = _features(batch, USE_CASE)
        if writer is None:
            writer = pq.ParquetWriter(file, table.schema, compression="zstd")
        writer.write_table(table)
        rows += table.num_rows
    if writer is None:
        raise SystemExit("no row came out of the joins")
    writer.close()
    return rows


def _features(batch: pa.RecordBatch, use_case: UseCase) -> pa.Table:
    columns = {f.name: _column(batch.column(f.name), f.type) for f in use_case.input_fields}
    features = use_case.features().row_features(columns)
    kept = {name: batch.column(name) for name in IDENTITY}
    return pa.table(kept | {name: pa.array(values) for name, values in features.items()})


def _column(array: Any, kind: str) -> Any:
    if kind in ("string", "datetime"):
        return array.cast(pa.string()).to_numpy(zero_copy_only=False)
    values = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64)
