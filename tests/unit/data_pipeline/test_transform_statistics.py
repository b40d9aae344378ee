"""Statistics of a dataset: the same however rows come, true to the values, silent on people."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pytest

from pipeline_code.data_pipeline.column_statistics import (
    SHOWN_BINS,
    CategorySummary,
    NumberSummary,
    TimeSummary,
)
from pipeline_code.data_pipeline.dataset_statistics import (
    FileSummary,
    WrittenFile,
    dataset_statistics,
)
from pipeline_code.use_case import load_use_case
from tests.fixtures import tiny_dataset

RANDOM = np.random.default_rng(20131231)
SHAPES = {
    "normal": RANDOM.normal(1017, 7, 20_000),
    "around zero": RANDOM.normal(0, 10, 20_000),
    "heavy tail": RANDOM.lognormal(3, 3, 20_000),
    "small counts": RANDOM.poisson(2, 20_000),
    "mostly zero": RANDOM.binomial(1, 0.02, 20_000) * RANDOM.normal(5, 1, 20_000),
    "constant": np.full(20_000, 29.92),
    "one outlier": np.append(RANDOM.normal(0, 1, 19_999), 1e30),
}


def summary(*parts: np.ndarray) -> NumberSummary:
    whole = NumberSummary()
    for part in parts:
        one = NumberSummary()
        one.add(pa.array(part.astype(np.float32)))
        whole.merge(json.loads(json.dumps(one.state())))
    return whole


@pytest.mark.parametrize("name", SHAPES)
def test_figures_are_those_of_the_values(name):
    values = SHAPES[name].astype(np.float32).astype(np.float64)

    found = summary(SHAPES[name]).statistics(None)

    assert found["count"] == len(values)
    assert found["min"] == pytest.approx(values.min(), rel=1e-5)
    assert found["max"] == pytest.approx(values.max(), rel=1e-5)
    assert found["mean"] == pytest.approx(values.mean(), rel=1e-5, abs=1e-6)
    assert found["std"] == pytest.approx(values.std(), rel=1e-5)
    bins = found["histogram"]["bins"]
    width = found["histogram"]["width"]
    assert len(bins) <= SHOWN_BINS
    assert sum(count for _, count in bins) == len(values)
    for low, count in bins:
        assert count == ((values >= low) & (values < low + width)).sum()


@pytest.mark.parametrize("name", SHAPES)
def test_a_quantile_is_right_but_for_the_width_of_a_fine_bin(name):
    values = SHAPES[name].astype(np.float32)
    one = summary(SHAPES[name])
    bins = one.state()
    width = 2.0 ** bins["level"] + 1e-5 * abs(values).max()

    for share, value in one.statistics(None)["quantiles"].items():
        below, at_most = (values < value - width).mean(), (values <= value + width).mean()
        assert below <= float(share) <= at_most


@pytest.mark.parametrize("name", SHAPES)
def test_a_histogram_is_the_same_however_rows_are_parted(name):
    values = SHAPES[name]
    wide = summary(values)

    parted = summary(*np.array_split(RANDOM.permutation(values), 7))

    assert parted.statistics(None)["histogram"] == wide.statistics(None)["histogram"]
    assert parted.statistics(None)["quantiles"] == wide.statistics(None)["quantiles"]


def test_bins_of_the_finer_version_fit_into_those_of_the_coarser():
    fine = summary(SHAPES["around zero"]).statistics(None)["histogram"]
    coarse = summary(SHAPES["around zero"] * 9).statistics(None)["histogram"]
    ends = {low for low, _ in coarse["bins"]} | {low + coarse["width"] for low, _ in coarse["bins"]}

    assert fine["width"] < coarse["width"]
    for low, _ in fine["bins"]:
        place = np.floor(low / coarse["width"]) * coarse["width"]
        assert place in ends or not min(ends) <= place <= max(ends)


def test_what_is_not_finite_counts_as_null():
    one = NumberSummary()
    one.add(pa.array([1.0, None, float("inf"), float("nan")], pa.float32()))

    assert (one.count, one.nulls) == (1, 3)
    assert one.statistics(None)["max"] == 1.0


def test_an_empty_column_has_counts_alone():
    one = NumberSummary()
    one.add(pa.array([None, None], pa.float32()))

    assert one.statistics(None) == {"kind": "number", "count": 0, "nulls": 2}


def test_categories_are_named_and_ordered_by_frequency():
    one = CategorySummary(("north", "south"))
    one.add(pa.array([1, 1, 0, -1, None], pa.int16()))

    assert one.statistics(None) == {
        "kind": "category",
        "count": 4,
        "nulls": 1,
        "distinct": 3,
        "top": [("south", 2), ("(unknown)", 1), ("north", 1)],
        "other": 0,
    }


def test_times_have_ends():
    one = TimeSummary()
    one.add(pa.array([1, 86_400_000_000, None], pa.timestamp("us", tz="UTC")))

    found = one.statistics(None)

    assert (found["first"], found["last"]) == ("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z")


def a_file(use_case, split: str, period: str, rows: int, seed: int) -> WrittenFile:
    random = np.random.default_rng(seed)
    table = pa.table(
        {
            "entity_id": [f"secret {index}" for index in range(rows)],
            "event_time": pa.array(np.arange(rows) * 10**9, pa.timestamp("us", tz="UTC")),
            "label": pa.array((random.random(rows) < 0.25).astype(np.int8)),
            "shop": [str(random.choice(["north", "south"])) for _ in range(rows)],
            "level": pa.array(random.normal(0, seed, rows).astype(np.float32)),
        }
    )
    one = FileSummary(use_case, table.schema.names)
    one.add(table)
    return WrittenFile.of(f"split={split}/period={period}/data.parquet", rows, one.to_json())


SCHEMA = ("entity_id", "event_time", "label", "shop", "level")


@pytest.fixture(scope="module")
def use_case():
    tiny_dataset.install()
    return load_use_case("tiny")


def test_splits_and_periods_add_up_to_all_with_bins_of_one_width(use_case):
    files = [
        a_file(use_case, "train", "2020-01", 3000, 1),
        a_file(use_case, "train", "2020-02", 2000, 9),
        a_file(use_case, "test", "2020-06", 1000, 3),
    ]

    found = dataset_statistics(use_case, SCHEMA, "d1", reversed(files))

    assert found == dataset_statistics(use_case, SCHEMA, "d1", files)
    assert {name: part["rows"] for name, part in found["splits"].items()} == {
        "train": 5000,
        "test": 1000,
    }
    assert found["overall"]["rows"] == 6000
    assert 0.2 < found["overall"]["label_rate"] < 0.3
    parts = [found["overall"], *found["splits"].values()]
    histograms = [part["columns"]["level"]["histogram"] for part in parts]
    assert len({histogram["width"] for histogram in histograms}) == 1
    summed = {}
    for histogram in histograms[1:]:
        for low, count in histogram["bins"]:
            summed[low] = summed.get(low, 0) + count
    assert summed == dict(histograms[0]["bins"])
    assert [(p["split"], p["rows"]) for _, p in sorted(found["periods"].items())] == [
        ("train", 3000),
        ("train", 2000),
        ("test", 1000),
    ]


def test_keys_and_personal_data_stand_in_no_statistics(use_case):
    shop = dataclasses.replace(use_case.inputs["identity"]["shop"], personal=True)
    groups = {**use_case.inputs, "identity": {**use_case.inputs["identity"], "shop": shop}}
    private = dataclasses.replace(use_case, inputs=groups)

    found = dataset_statistics(private, SCHEMA, "d1", [a_file(private, "train", "2020-01", 100, 1)])

    assert found["overall"]["columns"]["shop"] == {"kind": "personal", "count": 100, "nulls": 0}
    assert found["overall"]["columns"]["entity_id"]["kind"] == "key"
    for secret in ("north", "south", "secret"):
        assert secret not in json.dumps(found)
