"""The Spark job on real records: what is published, what is put aside, what is rejected."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from pipeline_code.data_pipeline.dataset import canonical
from pipeline_code.data_pipeline.transform_job import parse_arguments
from pipeline_code.use_case import load_use_case
from tests.integration.data_pipeline.runs import Lake, Rows, read_dataset, text_of

USE_CASE = load_use_case("flight_delays")


def test_every_record_is_accounted_for(published, raw):
    _, report = published
    flights = report["sources"]["flights"]
    clean = len(raw["flights"]) - 1

    assert report["status"] == "published"
    assert flights["rows_read"] == clean + 7 + 5
    assert flights["rows_valid"] == clean
    assert flights["rows_superseded"] == 5
    assert flights["rows_quarantined"] == 7
    reasons = {"allowed", "duplicate", "malformed", "missing", "orphan", "range", "type"}
    assert flights["reasons"] == dict.fromkeys(sorted(reasons), 1)
    assert sum(report["rows"].values()) == clean


def test_quarantine_names_file_line_rule_column_and_value(published, raw):
    lake, _ = published
    last = len(raw["flights"])
    found = {entry["line"] - last: entry for entry in lake.quarantined("flights")}

    assert {entry["source_file"] for entry in found.values()} == {"landing/flights/flights-a.csv"}
    assert [(n, e["rule"], e["column"], e["value"]) for n, e in sorted(found.items())][1:] == [
        (2, "orphan", "dest", "QQQ"),
        (3, "range", "minute", "77"),
        (4, "type", "dep_delay", "soon"),
        (5, "missing", "carrier", None),
        (6, "allowed", "origin", "BOS"),
        (7, "malformed", "", "2013,10,18"),
    ]
    assert found[1]["rule"] == "duplicate"
    (weather,) = lake.quarantined("weather")
    assert (weather["line"], weather["column"], weather["value"]) == (
        102,
        "wind_speed",
        "1048.36058",
    )


def test_manifest_is_the_digest_of_what_it_lists(published):
    lake, report = published
    folder = lake.dataset(report["dataset_id"])
    manifest = json.loads((folder / "manifest.json").read_text())

    for file in manifest["files"]:
        content = (folder / file["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert len(content) == file["size_bytes"]
    named = {k: v for k, v in manifest.items() if k not in ("dataset_id", "provenance")}
    assert hashlib.sha256(canonical(named)).hexdigest() == manifest["dataset_id"]
    assert [f["path"] for f in manifest["files"]] == [
        "split=test/period=2013-11/data.parquet",
        "split=validation/period=2013-10/data.parquet",
    ]
    assert not (lake.folder / "model" / "staging" / "run-1").exists()


def test_provenance_says_of_what_by_what_and_how_good(published):
    lake, report = published
    manifest = json.loads((lake.dataset(report["dataset_id"]) / "manifest.json").read_text())
    made = manifest["provenance"]

    assert [item["key"] for item in made["objects"]][:2] == [
        "landing/flights/flights-a.csv",
        "landing/flights/flights-b-again.csv",
    ]
    assert (made["engine"], made["code_version"], made["run_id"]) == ("local", "test", "run-1")
    assert made["code_commit"] == "unknown"
    assert made["sources"] == report["sources"]
    assert report["trainable"] is False
    assert report["untrainable_because"] == made["untrainable_because"]
    assert report["untrainable_because"][0] == (
        "no row falls into the split train, 2013-01 to 2013-09"
    )


def test_statistics_are_of_the_very_rows(published):
    lake, report = published
    folder = lake.dataset(report["dataset_id"])
    statistics = json.loads((folder / "statistics.json").read_text())
    rows = read_dataset(folder)
    overall = statistics["overall"]

    assert statistics["dataset_id"] == report["dataset_id"]
    assert {split: part["rows"] for split, part in statistics["splits"].items()} == report["rows"]
    assert overall["label_rate"] == pytest.approx(rows["label"].mean(), rel=1e-5)
    assert list(overall["columns"]) == sorted(overall["columns"])
    for name in ("temperature_f", "departures_origin_hour", "late_rate_28d_nyc"):
        column, values = overall["columns"][name], rows[name].dropna()
        assert (column["count"], column["nulls"]) == (len(values), len(rows) - len(values))
        assert column["mean"] == pytest.approx(values.mean(), rel=1e-4)
        assert sum(count for _, count in column["histogram"]["bins"]) == len(values)
    origin = overall["columns"]["origin"]
    assert dict(origin["top"]) == rows["origin"].value_counts().to_dict()
    assert set(dict(overall["columns"]["origin_code"]["top"])) == {"EWR", "JFK", "LGA"}


def test_a_report_has_ranges_of_what_is_not_personal(published):
    _, report = published
    flights = report["sources"]["flights"]

    assert flights["columns"]["minute"]["min"] == 0
    assert flights["columns"]["tailnum"].keys() == {"type", "nulls"}
    assert flights["columns"]["time_hour"]["max"] == flights["newest"] == "2013-11-07T04:00:00Z"
    assert report["sources"]["weather"]["newest"] == "2013-12-01T04:00:00Z"
    assert flights["lag_hours"] > 72
    assert flights["stale"] is True


def test_a_request_gives_the_very_vector_of_the_dataset(published):
    lake, report = published
    folder = lake.dataset(report["dataset_id"])
    rows = read_dataset(folder)
    lines = (folder / "sample_requests.jsonl").read_text().splitlines()
    samples = [json.loads(line) for line in lines]

    assert {s["split"] for s in samples} == {"validation", "test"}
    assert len(samples) == 400
    for sample in samples:
        served = USE_CASE.features().row_features(USE_CASE.columns([sample["instance"]]))
        trained = rows.loc[sample["entity_id"]]
        assert trained["label"] == sample["label"]
        for name, value in served.items():
            same = np.array(trained[name], dtype=value.dtype)
            assert np.array_equal(same, value[0], equal_nan=True), (sample["entity_id"], name)


def test_files_order_and_names_change_neither_id_nor_bytes(published, raw, tmp_path):
    _, report = published
    lake = Lake(tmp_path)
    lake.land("airports", "z.csv", raw["airports"])
    header, *weather = raw["weather"]
    weather.pop(100)
    lake.land("weather", "late.csv", [header, *weather[300:]])
    lake.land("weather", "early.csv", [header, *reversed(weather[:300])])
    header, *flights = raw["flights"]
    for number in range(3):
        rows = [header, *reversed(flights[number::3])]
        name = f"part-{number}.csv.gz"
        lake.land_bytes("flights", name, gzip.compress(text_of(rows)))
    lake.land("aircraft", "aircraft.csv", [raw["aircraft"][0], *reversed(raw["aircraft"][1:])])

    assert lake.run("another")["dataset_id"] == report["dataset_id"]


def rejected(lake: Lake) -> str:
    with pytest.raises(SystemExit) as stop:
        lake.run()
    report = lake.report()
    assert report["status"] == "rejected"
    assert stop.value.code == f"batch rejected: {report['reason']}"
    assert not (lake.folder / "model" / "datasets").exists()
    return report["reason"]


def land_small(lake: Lake, raw: dict[str, Rows], *, without: str = "") -> None:
    for source, rows in raw.items():
        if source != without:
            lake.land(source, f"{source}.csv", rows[:50])


def test_a_missing_column_rejects_the_batch(spark, raw, tmp_path):
    lake = Lake(tmp_path)
    land_small(lake, raw, without="weather")
    lake.land("weather", "w.csv", [[v for v in row if v != row[5]] for row in raw["weather"][:9]])

    reason = rejected(lake)

    assert reason.startswith("source 'weather': 1 of 1 files are broken, at most 5% may be: ")
    assert "landing/weather/w.csv: column temp is missing" in reason
    (entry,) = lake.quarantined("weather")
    assert (entry["rule"], entry["column"], entry["records"]) == ("missing_column", "temp", 8)


def test_a_source_without_a_file_rejects_the_batch(spark, raw, tmp_path):
    lake = Lake(tmp_path)
    land_small(lake, raw, without="airports")

    assert rejected(lake) == "source 'airports': the batch has no file of it"


def test_a_broken_feed_rejects_the_batch(spark, raw, tmp_path):
    lake = Lake(tmp_path)
    land_small(lake, raw, without="aircraft")
    header, *rows = raw["aircraft"][:21]
    seats = header.index("seats")
    wrong = [[*row[:seats], "0", *row[seats + 1 :]] for row in rows[:2]]
    lake.land("aircraft", "a.csv", [header, *wrong, *rows[2:]])

    reason = rejected(lake)

    assert "2 of 20 records are broken {'range': 2}, at most 5% may be" in reason
    assert len(lake.quarantined("aircraft")) == 2


def test_a_missing_argument_is_named(tmp_path: Path):
    with pytest.raises(SystemExit, match="argument --run_id is missing"):
        parse_arguments(["--use_case", "flight_delays"])
