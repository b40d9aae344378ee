"""Analytics tables and outcomes, written by Spark to local folders and to moto's DynamoDB."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_code.data_pipeline.analytics import AnalyticsError, AnalyticsStore, write_analytics
from pipeline_code.data_pipeline.contract import LABEL_BUCKETS, label_bucket, label_index_key
from pipeline_code.data_pipeline.outcomes import write_outcomes
from pipeline_code.use_case import load_use_case

USE_CASE = load_use_case("flight_delays")
FLIGHTS = (
    "carrier string, origin string, dest string, hour bigint, year bigint, month bigint,"
    " day bigint, dep_delay bigint, arr_delay bigint"
)


@pytest.fixture
def flights(spark):
    rows = [
        ("AA", "JFK", "LAX", 7, 2013, 1, 2, 0, -5),
        ("AA", "JFK", "LAX", 7, 2013, 1, 2, 20, 30),
        ("UA", "EWR", "SFO", 9, 2013, 2, 3, None, None),
    ]
    return spark.createDataFrame(rows, FLIGHTS)


def written(folder: Path, table: str, dataset_id: str) -> list[dict[str, object]]:
    path = folder / "analytics" / table / f"dataset={dataset_id}" / "data.parquet"
    return pq.read_table(path).to_pylist()


def test_every_declared_table_is_written_with_its_rows(flights, tmp_path):
    store = AnalyticsStore(f"{tmp_path.as_uri()}/", "")

    counts = write_analytics(USE_CASE, store, "d1", {"flights": flights}, lambda rows: rows)

    assert counts == {
        "delay_by_route": 2,
        "delay_by_carrier": 2,
        "delay_by_hour": 2,
        "delay_by_day": 2,
    }
    assert written(tmp_path, "delay_by_route", "d1") == [
        {
            "origin": "EWR",
            "dest": "SFO",
            "departures": 1,
            "late_share": 1.0,
            "cancelled_share": 1.0,
            "mean_departure_delay": None,
            "mean_arrival_delay": None,
        },
        {
            "origin": "JFK",
            "dest": "LAX",
            "departures": 2,
            "late_share": 0.5,
            "cancelled_share": 0.0,
            "mean_departure_delay": 10.0,
            "mean_arrival_delay": 12.5,
        },
    ]


def test_a_table_without_a_declared_column_or_with_a_key_twice_is_refused(flights, tmp_path):
    store = AnalyticsStore(f"{tmp_path.as_uri()}/", "")
    carrier = USE_CASE.analytics["delay_by_carrier"]
    others = {name: t for name, t in USE_CASE.analytics.items() if name != carrier.name}

    def write(table):
        declared = replace(USE_CASE, analytics={**others, carrier.name: table})
        write_analytics(declared, store, "d1", {"flights": flights}, lambda rows: rows)

    more = replace(carrier.columns[0], name="tailnum")
    with pytest.raises(AnalyticsError, match="delay_by_carrier without tailnum"):
        write(replace(carrier, columns=(*carrier.columns, more)))
    with pytest.raises(Exception, match="is null in part"):
        write(replace(carrier, key=("mean_departure_delay",)))
    with pytest.raises(AnalyticsError, match=r"analytics\.yaml declares"):
        declared = replace(USE_CASE, analytics=others)
        write_analytics(declared, store, "d1", {"flights": flights}, lambda rows: rows)


def dataset(folder: Path, labels: dict[str, int]) -> str:
    moment = datetime(2013, 1, 2, 5, tzinfo=UTC)
    table = pa.table(
        {
            "entity_id": pa.array(list(labels), pa.string()),
            "event_time": pa.array([moment] * len(labels), pa.timestamp("us", tz="UTC")),
            "label": pa.array(list(labels.values()), pa.int8()),
            "feature": pa.array([1.0] * len(labels), pa.float32()),
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "data.parquet")
    return (folder / "data.parquet").as_uri()


def outcomes(folder: Path) -> dict[str, tuple[int, str]]:
    lines = [
        json.loads(line)
        for bucket in LABEL_BUCKETS
        if (folder / label_index_key(bucket)).exists()
        for line in gzip.decompress((folder / label_index_key(bucket)).read_bytes()).splitlines()
    ]
    assert all(label_bucket(line["entity_id"]) in LABEL_BUCKETS for line in lines)
    return {line["entity_id"]: (line["label"], line["known_at"]) for line in lines}


def test_an_outcome_keeps_the_time_at_which_it_was_first_told(spark, tmp_path):
    uri = f"{tmp_path.as_uri()}/"
    first, second = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"
    some = {f"entity-{number}": number % 2 for number in range(40)}

    one = write_outcomes(spark, uri, [dataset(tmp_path / "one", some)], first)
    again = write_outcomes(spark, uri, [dataset(tmp_path / "one", some)], second)
    grown = {**some, "entity-0": 1, "entity-new": 0}
    del grown["entity-1"]
    two = write_outcomes(spark, uri, [dataset(tmp_path / "two", grown)], second)

    assert (one, again["new"]) == ({"known": 40, "new": 40}, 0)
    assert two["new"] == 2
    known = outcomes(tmp_path)
    assert len(known) == 41
    assert known["entity-0"] == (1, "2026-02-01T00:00:00Z")
    assert known["entity-1"] == (1, "2026-01-01T00:00:00Z")
    assert known["entity-2"] == (0, "2026-01-01T00:00:00Z")
    assert known["entity-new"] == (0, "2026-02-01T00:00:00Z")
    rows = [
        row
        for path in sorted((tmp_path / "labels" / "rows").glob("bucket=*/data.parquet"))
        for row in pq.ParquetFile(path).read().to_pylist()
    ]
    assert {row["entity_id"]: row["label"] for row in rows} == {
        entity: label for entity, (label, _) in known.items()
    }
