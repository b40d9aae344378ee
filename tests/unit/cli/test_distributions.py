"""Distributions are drawn and compared: PSI and KS by their definitions, on any bins."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cli.distributions import columns_in_bars, draw, ks, psi, shift


def _numbers(values, width, nulls=0):
    lows, counts = np.unique(np.floor(np.asarray(values) / width) * width, return_counts=True)
    return {
        "kind": "number",
        "count": len(values),
        "nulls": nulls,
        "mean": float(np.mean(values)),
        "histogram": {
            "width": width,
            "bins": [[float(low), int(count)] for low, count in zip(lows, counts, strict=True)],
        },
    }


def _category(nulls=0, other=0, **top):
    count = sum(top.values()) + other
    return {"kind": "category", "count": count, "nulls": nulls, "top": list(top.items())}


def test_psi_is_the_sum_over_groups_of_its_definition():
    expected = (0.5 - 0.8) * math.log(0.5 / 0.8) + (0.5 - 0.2) * math.log(0.5 / 0.2)

    assert psi([(50, 80), (50, 20)]) == pytest.approx(expected)


def test_ks_is_the_largest_difference_of_the_cumulative_shares():
    assert ks([(10, 0), (80, 10), (10, 90)]) == pytest.approx(0.8)


@pytest.mark.parametrize("width", [0.25, 1.0])
def test_the_same_values_in_finer_bins_have_not_moved(width):
    values = np.random.default_rng(1).normal(size=5000)

    moved = shift("x", _numbers(values, 0.25), _numbers(values, width))

    assert moved.psi == pytest.approx(0, abs=1e-12)
    assert moved.ks == pytest.approx(0, abs=1e-12)


def test_a_shift_by_a_deviation_is_large():
    values = np.random.default_rng(1).normal(size=5000)

    moved = shift("x", _numbers(values, 0.25), _numbers(values + 1, 0.125))

    assert moved.psi > 0.5
    assert moved.ks == pytest.approx(0.38, abs=0.03)


def test_nulls_are_a_group_of_their_own():
    values = np.linspace(0, 10, 1000)

    assert shift("x", _numbers(values, 0.5), _numbers(values, 0.5, nulls=500)).psi > 0.25


def test_categories_are_compared_by_value():
    same = shift("c", _category(a=60, b=40), _category(a=600, b=400))
    moved = shift("c", _category(a=60, b=40), _category(a=10, b=30, new=60))

    assert same.psi == pytest.approx(0)
    assert moved.psi > 0.5
    assert moved.ks is None


def test_columns_without_values_of_their_own_are_not_compared():
    assert shift("k", {"kind": "key", "count": 1, "nulls": 0}, _category(a=1)) is None


def test_a_histogram_is_drawn_over_its_range_and_a_single_value_shows():
    bins = [[float(low), count] for low, count in enumerate((1000, 0, 1, 0, 500, 0, 0, 1))]

    counts = columns_in_bars({"width": 1.0, "bins": bins}, 8)

    assert counts == [1000, 0, 1, 0, 500, 0, 0, 1]
    assert draw(counts) == "█ ▁ ▄  ▁"


def test_nothing_is_drawn_of_nothing():
    assert draw(columns_in_bars({"width": 1.0, "bins": []}, 8)) == ""
