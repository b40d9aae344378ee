"""Source files of any number of years: ``python -m use_cases.flight_delays.bench.years OUT N``.

The real year, its dates moved on year by year.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import polars as pl

from use_cases.flight_delays import fetch

DAYS_OF_2013 = 365
MONTHS = ("2013-01", "2013-12")
DATED = ("flights", "weather")
BELIEVED_MPH = 150
"""The job would quarantine the one record with more; here nobody has to."""


def write_years(folder: Path, years: int) -> int:
    """Write ``folder/<source>/*.csv``; give the number of departures."""
    raw = folder / "raw"
    files = fetch.fetch(raw, MONTHS, fetch.find_data())
    departures = 0
    for source in {file.parent.name for file in files}:
        (folder / source).mkdir()
        rows = pl.concat(
            pl.read_csv(file, infer_schema_length=0) for file in sorted((raw / source).iterdir())
        )
        if source == "weather":
            wind = pl.col("wind_speed").cast(pl.Float64, strict=False).fill_null(0)
            rows = rows.filter(wind <= BELIEVED_MPH)
        for number in range(years if source in DATED else 1):
            moved = _moved(rows, number * DAYS_OF_2013) if source in DATED else rows
            moved.write_csv(folder / source / f"{number:02d}.csv", null_value="NA")
        departures += rows.height * years if source == "flights" else 0
    shutil.rmtree(raw)
    return departures


def _moved(rows: pl.DataFrame, days: int) -> pl.DataFrame:
    """Move the local date and the hour in UTC by whole days."""
    local = pl.date(*(pl.col(name).cast(pl.Int32) for name in ("year", "month", "day")))
    date = local + pl.duration(days=days)
    hour = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ") + pl.duration(days=days)
    return rows.with_columns(
        year=date.dt.year(),
        month=date.dt.month(),
        day=date.dt.day(),
        time_hour=hour.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


if __name__ == "__main__":
    sys.stdout.write(f"{write_years(Path(sys.argv[1]), int(sys.argv[2]))}\n")
