"""Skew: when one carrier and route hold most departures, the work takes little longer."""

from __future__ import annotations

import time

import pytest
from pyspark.sql import DataFrame

from tests.integration.data_pipeline.point_in_time import USE_CASE, read_sources
from tests.integration.data_pipeline.runs import Rows

SKEWED_SHARE = 0.8
SLOWER = 3.0
NOISE_SECONDS = 20.0


@pytest.fixture(scope="module")
def skewed(raw: dict[str, Rows]) -> dict[str, Rows]:
    """Four departures of five fly one route of one carrier, without a tail number."""
    header, *rows = raw["flights"]
    one = {"carrier": "UA", "origin": "EWR", "dest": "ORD", "tailnum": "NA"}

    def moved(number: int, row: list[str]) -> list[str]:
        if number % 5 >= SKEWED_SHARE * 5:
            return row
        changed = one | {"flight": str(number % 9000 + 1)}
        return [changed.get(name, value) for name, value in zip(header, row, strict=True)]

    return raw | {"flights": [header, *(moved(*numbered) for numbered in enumerate(rows))]}


def seconds(spark, sources: dict[str, Rows], folder) -> float:
    read = read_sources(spark, sources, folder)
    begun = time.monotonic()
    rows = USE_CASE.snapshots().build_snapshots(read, DataFrame.persist)
    rows.write.format("noop").mode("overwrite").save()
    spark.catalog.clearCache()
    return time.monotonic() - begun


def test_a_skewed_key_takes_little_longer_than_even_ones(spark, raw, skewed, tmp_path):
    folders = [tmp_path / name for name in ("even", "skewed")]
    for folder in folders:
        folder.mkdir()
    even = seconds(spark, raw, folders[0])

    assert seconds(spark, skewed, folders[1]) < SLOWER * even + NOISE_SECONDS
