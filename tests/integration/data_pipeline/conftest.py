"""One Spark session, and twelve days of real data around a change of the clocks."""

from __future__ import annotations

import csv
import gzip
import os
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.integration.data_pipeline.runs import Rows
from use_cases.flight_delays import fetch

ROOT = Path(__file__).parents[3]
FIRST, LAST = "2013-10-26", "2013-11-06"


@pytest.fixture(scope="session")
def spark():
    """A session as Glue gives it, small."""
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "2g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def raw(tmp_path_factory) -> dict[str, Rows]:
    """Source rows by source, header first, departures from FIRST to LAST."""
    folder = tmp_path_factory.mktemp("raw")
    files = fetch.fetch(folder, (FIRST[:7], LAST[:7]), fetch.find_data())
    rows: dict[str, Rows] = {}
    for file in files:
        with gzip.open(file, "rt", newline="") as text:
            header, *body = csv.reader(text)
        rows.setdefault(file.parent.name, [header]).extend(body)
    rows["flights"] = [
        r for i, r in enumerate(rows["flights"]) if not i or FIRST <= _day(r) <= LAST
    ]
    return rows


def _day(row: list[str]) -> str:
    year, month, day = (int(value) for value in row[:3])
    return f"{year}-{month:02d}-{day:02d}"
