"""One Spark session, and twelve days of real data around a change of the clocks."""

from __future__ import annotations

import csv
import gzip
import os
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.integration.data_pipeline.runs import Lake, Rows, broken, text_of
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


@pytest.fixture(scope="session")
def published(spark, raw, tmp_path_factory) -> tuple[Lake, dict]:
    """A batch with seven broken records and five delivered twice, published."""
    lake = Lake(tmp_path_factory.mktemp("published"))
    header, *flights = raw["flights"]
    bad = [
        flights[10],
        broken(flights[4], header, flight="9001", dest="QQQ"),
        broken(flights[5], header, flight="9002", minute="77"),
        broken(flights[6], header, flight="9003", dep_delay="soon"),
        broken(flights[7], header, flight="9004", carrier="NA"),
        broken(flights[8], header, flight="9005", origin="BOS"),
        ["2013", "10", "18"],
    ]
    lake.land("flights", "flights-a.csv", [header, *flights, *bad])
    lake.land("flights", "flights-b-again.csv", [header, *flights[:5]])
    header, *weather = raw["weather"]
    glitch = broken(weather[100], header, wind_speed="1048.36058", year="2013")
    weather = [*weather[:100], glitch, *weather[101:]]
    lake.land_bytes("weather", "weather.csv.gz", gzip.compress(text_of([header, *weather])))
    lake.land("aircraft", "aircraft.csv", raw["aircraft"])
    lake.land("airports", "airports.csv", raw["airports"])
    return lake, lake.run()
