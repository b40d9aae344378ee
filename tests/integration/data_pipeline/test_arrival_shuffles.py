"""Files arrive in any order, up to five times each, while runs go on: the end is always the same.

``ARRIVAL_SHUFFLES`` says how many seeds are tried.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os

import pytest

from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.ledger import verify_chain
from tests.integration.data_pipeline.runs import Rows
from tests.integration.data_pipeline.shuffles import Shuffle, SparkRuns, final_state

COUNT = int(os.environ.get("ARRIVAL_SHUFFLES", "12"))
SEEDS = range(COUNT)
FEW_SEEDS = range(max(1, COUNT // 4))
MONTHLY = ("flights", "weather")
DAYS = {"10": range(30, 32), "11": range(1, 3)}
"""Of each month: the job's work is the same for few days, and sooner done."""
STRANGE = {"landing/flights/notes.txt": b"call Bob", "landing/shoes/shoes-2013-10.csv": b"a\n1\n"}


@pytest.fixture(scope="module")
def slice_files(raw: dict[str, Rows]) -> dict[str, bytes]:
    """Two months of each periodic source, the references, and two files that nobody declared.

    One record has a wind that no instrument can measure: it belongs in quarantine.
    """
    files = dict(STRANGE)
    for source, (header, *unchanged) in raw.items():
        rows = [list(row) for row in unchanged]
        if source == "weather":
            broken = next(row for row in rows if row[header.index("day")] == "30")
            broken[header.index("wind_speed")] = "1048"
        if source not in MONTHLY:
            files[f"landing/{source}/{source}.csv.gz"] = packed([header, *rows])
            continue
        month, day = header.index("month"), header.index("day")
        for name, days in DAYS.items():
            kept = [row for row in rows if row[month] == name and int(row[day]) in days]
            files[f"landing/{source}/{source}-2013-{name}.csv.gz"] = packed([header, *kept])
    return files


@pytest.fixture(scope="module")
def broken_files(slice_files) -> dict[str, bytes]:
    """The same, but the weather has lost a column: no run of it can end well."""
    broken = {}
    for key, content in slice_files.items():
        broken[key] = content
        if "/weather/" in key:
            rows = list(csv.reader(io.StringIO(gzip.decompress(content).decode())))
            gone = rows[0].index("temp")
            broken[key] = packed([row[:gone] + row[gone + 1 :] for row in rows])
    return broken


@pytest.fixture(scope="module")
def spark_runs(spark, tmp_path_factory) -> SparkRuns:
    return SparkRuns(tmp_path_factory.mktemp("spark-runs"))


@pytest.fixture(scope="module")
def seen() -> dict:
    """The final state that the first seed of each test left."""
    return {}


@pytest.fixture
def shuffle(world, spark_runs, monkeypatch):
    def prepare(files, seed: int) -> Shuffle:
        monkeypatch.setenv("REQUIRED_SOURCES", '["flights", "weather", "aircraft", "airports"]')
        monkeypatch.setenv("OPTIONAL_SOURCES", "[]")
        monkeypatch.setenv("MONTHLY_SOURCES", json.dumps(MONTHLY))
        return Shuffle(world, files, spark_runs, monkeypatch, seed)

    return prepare


def packed(rows: Rows) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return gzip.compress(text.getvalue().encode(), mtime=0)


def records_of(world):
    records = list(DynamoLedger(world.dynamodb, "ledger", "demo", str).records())
    verify_chain(records)
    return records


@pytest.mark.parametrize("seed", SEEDS)
def test_a_burst_of_arrivals_ends_in_one_dataset(seed, shuffle, slice_files, world, seen):
    made = shuffle(slice_files, seed)
    made.in_one_burst()

    state = final_state(world)
    assert state == seen.setdefault("burst", state)
    assert [r["event_type"] for r in records_of(world)] == ["dataset_published"]
    assert len({key.split("/")[1] for key in state["datasets"]}) == 1
    assert len(state["batches"]) == 1
    assert state["quarantine"]
    arrival = world.item("metadata", "ARRIVAL#demo", "STATE")
    assert arrival["periods"] == ["2013-10", "2013-11"]
    assert arrival["waiting_for"] == []
    assert {each["key"] for each in arrival["unrecognised"]} == set(STRANGE)
    assert made.steps.count("publish_dataset") >= 1


@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_a_burst_of_broken_files_ends_in_one_rejection(seed, shuffle, broken_files, world, seen):
    shuffle(broken_files, seed).in_one_burst()

    state = final_state(world)
    assert state == seen.setdefault("broken", state)
    assert [r["event_type"] for r in records_of(world)] == ["dataset_rejected"]
    assert state["datasets"] == {}
    assert world.item("metadata", "DATASET#demo", "LATEST") is None


@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_with_runs_between_the_arrivals_the_whole_slice_is_the_latest_all_the_same(
    seed, shuffle, slice_files, world, seen, spark_runs
):
    shuffle(slice_files, seed).with_pauses()

    latest = world.item("metadata", "DATASET#demo", "LATEST")
    arrival = world.item("metadata", "ARRIVAL#demo", "STATE")
    whole = world.item("metadata", "BATCH#demo", arrival["batch_id"])
    told = (latest["dataset_id"], whole["state"], whole["dataset_id"], arrival["periods"])
    assert told == seen.setdefault("pauses", told)
    assert whole["dataset_id"] == latest["dataset_id"]
    published = [r for r in records_of(world) if r["event_type"] == "dataset_published"]
    assert [r["subject"] for r in published].count(latest["dataset_id"]) == 1
    # Each run between was of one month, and no batch was ever run for a second dataset.
    assert len({r["subject"] for r in published}) <= len(spark_runs)
