"""Months one after the other, and all of them at once, give the same dataset version.

MONTHS_AND_YEAR=year takes every record of the twelve months; else a few days of three.
"""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest

from tests.integration.data_pipeline.runs import Lake, Rows
from use_cases.flight_delays import fetch

WHOLE_YEAR = os.environ.get("MONTHS_AND_YEAR") == "year"
MONTHS = ("2013-01", "2013-12") if WHOLE_YEAR else ("2013-09", "2013-11")
DAYS = 31 if WHOLE_YEAR else 3
MONTHLY = ("flights", "weather")
RUN_AFTER = (12,) if WHOLE_YEAR else (2, 3)
"""Months after which the batch so far is run."""


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, dict[str, Rows]]:
    """Rows by source and file, header first."""
    found: dict[str, dict[str, Rows]] = {}
    folder = tmp_path_factory.mktemp("fetched")
    for file in fetch.fetch(folder, MONTHS, fetch.find_data()):
        with gzip.open(file, "rt", newline="") as text:
            header, *rows = csv.reader(text)
        if file.parent.name in MONTHLY:
            day = header.index("day")
            rows = [row for row in rows if int(row[day]) <= DAYS]
        name = file.name.removesuffix(".gz")
        found.setdefault(file.parent.name, {})[name] = [header, *rows]
    return found


def land_references(lake: Lake, files: dict[str, dict[str, Rows]]) -> None:
    for source in files.keys() - set(MONTHLY):
        for name, rows in files[source].items():
            lake.land(source, name, rows)


def run_month_by_month(folder: Path, files: dict[str, dict[str, Rows]]) -> list[str]:
    """Land a month at a time into one lake; list what the runs publish."""
    lake = Lake(folder)
    land_references(lake, files)
    ids = []
    months = zip(*(sorted(files[source].items()) for source in MONTHLY), strict=True)
    for number, month in enumerate(months, start=1):
        for source, (name, rows) in zip(MONTHLY, month, strict=True):
            lake.land(source, name, rows)
        if number in RUN_AFTER:
            ids.append(lake.run(f"run-{number}")["dataset_id"])
    return ids


def run_at_once(folder: Path, files: dict[str, dict[str, Rows]]) -> str:
    """Land one file a source."""
    lake = Lake(folder)
    land_references(lake, files)
    for source in MONTHLY:
        (header, *_), *_ = files[source].values()
        rows = [row for month in files[source].values() for row in month[1:]]
        lake.land(source, "all.csv", [header, *rows])
    return lake.run()["dataset_id"]


@pytest.mark.timeout(3600)
def test_month_by_month_equals_all_at_once(spark, files, tmp_path):
    *earlier, last = run_month_by_month(tmp_path / "months", files)

    assert last == run_at_once(tmp_path / "once", files)
    assert last not in earlier
