"""Every kind of poison that a contract can name: the good is processed, the bad is put aside.

``POISON_SHARE`` of the records are broken, in every way; ``POISON_SEEDS`` says how many batches.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pipeline_code.use_case import load_use_case
from tests.integration.data_pipeline.poison import Poisoned, Poisoner
from tests.integration.data_pipeline.runs import Lake

SHARE = float(os.environ.get("POISON_SHARE", "0.01"))
SEEDS = range(int(os.environ.get("POISON_SEEDS", "1")))
USE_CASE = load_use_case("flight_delays")


def new_departure(row: list[str], number: int) -> list[str]:
    """Give a flight number that no airline flies, to have a new key."""
    return [*row[:10], str(9000 + number % 1000), *row[11:]]


def new_observation(row: list[str], number: int) -> list[str]:
    """Move an observation to a time of which no departure is known."""
    return [*row[:-1], f"2001-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d}T00:00:00Z"]


@pytest.fixture(params=SEEDS)
def batch(request, spark, raw, tmp_path) -> Iterator[tuple[Lake, dict[str, Poisoned]]]:
    """A batch of poisoned departures and observations, whose large file is read in many blocks."""
    header, *weather = raw["weather"]
    weather.pop(100)
    poisoned = {
        "flights": Poisoner(
            USE_CASE.sources["flights"], raw["flights"], renew=new_departure, seed=request.param
        ).poison(SHARE),
        "weather": Poisoner(
            USE_CASE.sources["weather"],
            [header, *weather],
            renew=new_observation,
            seed=request.param,
        ).poison(SHARE),
    }
    lake = Lake(tmp_path)
    for source, made in poisoned.items():
        for name, content in made.files.items():
            lake.land_bytes(source, name, content)
    lake.land("aircraft", "aircraft.csv", raw["aircraft"])
    lake.land("airports", "airports.csv", raw["airports"])
    small = {"maxPartitionBytes": "50000", "openCostInBytes": "1000"}
    for name, value in small.items():
        spark.conf.set(f"spark.sql.files.{name}", value)
    yield lake, poisoned
    for name in small:
        spark.conf.unset(f"spark.sql.files.{name}")


def test_the_good_is_processed_the_bad_put_aside_and_all_adds_up(batch, published, raw):
    lake, poisoned = batch

    report = lake.run()

    _, clean = published
    assert report["dataset_id"] == clean["dataset_id"]
    for source, made in poisoned.items():
        found = report["sources"][source]
        entries = lake.quarantined(source)
        prefix = f"landing/{source}/"
        records = [entry for entry in entries if entry["line"] is not None]
        assert {
            (e["source_file"].removeprefix(prefix), e["line"], e["rule"], e["column"])
            for e in records
        } == made.records
        assert len(records) == len(made.records)
        files = [entry for entry in entries if entry["line"] is None]
        assert {
            e["source_file"].removeprefix(prefix): (e["rule"], e["records"]) for e in files
        } == made.broken_files
        assert all(entry["reason"] for entry in entries)
        counted = (found["rows_valid"], found["rows_quarantined"], found["rows_superseded"])
        assert found["rows_read"] == sum(counted) == made.rows
        assert found["rows_superseded"] == made.superseded
        assert found["rows_quarantined"] == sum(entry["records"] or 0 for entry in entries)
        assert found["rows_quarantined"] == sum(found["reasons"].values())
        assert found["files_quarantined"] == len(made.broken_files)
        assert found["file_reasons"] == {rule: 1 for rule, _ in made.broken_files.values()}
    assert len(poisoned["flights"].broken_files) == 7
    assert report["sources"]["flights"]["rows_valid"] == len(raw["flights"]) - 1
    assert {rule for _, _, rule, _ in poisoned["flights"].records} == {
        "allowed",
        "duplicate",
        "encoding",
        "malformed",
        "missing",
        "orphan",
        "range",
        "type",
    }
