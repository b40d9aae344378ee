"""Tuning: the search space, the strategies, the median rule."""

from __future__ import annotations

from statistics import fmean

import pytest

from localcloud.registry import ServiceError
from localcloud.sagemaker.tuning.early_stopping import MedianRule
from localcloud.sagemaker.tuning.ranges import ranges_of
from localcloud.sagemaker.tuning.search import Search

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
OWN = "000000000000.dkr.ecr.us-east-1.amazonaws.com/model:1"
PLANE = {
    "ContinuousParameterRanges": [
        {"Name": "x", "MinValue": "-1", "MaxValue": "1"},
        {"Name": "y", "MinValue": "0.001", "MaxValue": "10", "ScalingType": "Logarithmic"},
    ],
    "IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "9"}],
    "CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b"]}],
}


def cost(values):
    wrong_kind = 0.3 * (values["kind"] == "b")
    return (
        (float(values["x"]) - 0.3) ** 2 + abs(float(values["y"]) - 0.05) / 10
        + abs(int(values["n"]) - 7) / 8 + wrong_kind
    )  # fmt: skip


def best_of(strategy, seed, jobs=30):
    search = Search(strategy, ranges_of(PLANE, OWN), maximise=False, seed=seed, jobs=jobs)
    costs = []
    for number in range(jobs):
        costs.append(cost(search.propose(str(number))))
        search.learn(str(number), costs[-1])
    return min(costs)


def test_bayesian_finds_better_values_than_random_with_as_many_jobs():
    seeds = range(6)
    bayesian = fmean(best_of("Bayesian", seed) for seed in seeds)
    assert bayesian < 0.7 * fmean(best_of("Random", seed) for seed in seeds)


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_a_seed_makes_the_search_reproducible(strategy):
    assert best_of(strategy, 5, jobs=12) == best_of(strategy, 5, jobs=12)
    assert best_of(strategy, 5, jobs=12) != best_of(strategy, 6, jobs=12)


def test_values_are_in_their_ranges_and_spelled_as_hyperparameters():
    search = Search("Random", ranges_of(PLANE, OWN), maximise=True, seed=1, jobs=50)
    proposed = [search.propose(str(number)) for number in range(50)]
    assert all(-1 <= float(p["x"]) <= 1 and 0.001 <= float(p["y"]) <= 10 for p in proposed)
    assert {p["n"] for p in proposed} == {str(n) for n in range(1, 10)}
    # On a logarithmic scale half of the draws are below the bounds' geometric mean.
    assert 15 <= sum(float(p["y"]) < 0.1 for p in proposed) <= 35


def test_reverse_logarithmic_values_crowd_towards_one():
    ranges = ranges_of(
        {
            "ContinuousParameterRanges": [
                {
                    "Name": "x", "MinValue": "0", "MaxValue": "0.999",
                    "ScalingType": "ReverseLogarithmic",
                }
            ]
        },
        OWN,
    )  # fmt: skip
    search = Search("Random", ranges, maximise=True, seed=1, jobs=50)
    drawn = [float(search.propose(str(number))["x"]) for number in range(50)]
    assert all(0 <= x <= 0.999 for x in drawn)
    assert sum(x > 0.9 for x in drawn) > 25


def test_what_earlier_jobs_found_guides_the_first_proposal():
    ranges = ranges_of(PLANE, OWN)
    search = Search("Bayesian", ranges, maximise=False, seed=2, jobs=9)
    other = Search("Random", ranges, maximise=False, seed=3, jobs=60)
    for number in range(60):
        values = other.propose(str(number))
        assert search.know(values, cost(values))
    assert not search.know({"x": "5", "y": "1", "n": "1", "kind": "a"}, 0.0)
    assert not search.know({"x": "0.5"}, 0.0)
    costs = []
    for number in range(9):
        costs.append(cost(search.propose(str(number))))
        search.learn(str(number), costs[-1])
    blind = fmean(cost(other.propose(str(number))) for number in range(100, 140))
    assert fmean(costs) < 0.7 * blind


def test_auto_takes_the_logarithm_of_wide_ranges():
    given = [
        {"Name": "wide", "MinValue": "0.0001", "MaxValue": "1", "ScalingType": "Auto"},
        {"Name": "narrow", "MinValue": "0.5", "MaxValue": "1"},
        {"Name": "zero", "MinValue": "0", "MaxValue": "1000"},
    ]
    found = ranges_of({"ContinuousParameterRanges": given}, OWN)
    assert {each.name: each.scale for each in found} == {
        "wide": "Logarithmic", "narrow": "Linear", "zero": "Linear",
    }  # fmt: skip


def test_auto_parameters_have_the_documented_ranges():
    given = {"AutoParameters": [{"Name": "eta", "ValueHint": "0.3"}]}
    (eta,) = ranges_of(given, XGBOOST)
    assert (eta.low, eta.high) == (0.1, 0.5)
    with pytest.raises(ServiceError, match="no range is known for eta"):
        ranges_of(given, OWN)


@pytest.mark.parametrize(
    ("kind", "given", "reason"),
    [
        ("Continuous", {"MinValue": "2", "MaxValue": "1"}, "must be less than"),
        ("Continuous", {"MinValue": "a", "MaxValue": "1"}, "Range of x"),
        ("Integer", {"MinValue": "1.5", "MaxValue": "4"}, "must be integers"),
        (
            "Integer",
            {"MinValue": "0", "MaxValue": "4", "ScalingType": "Logarithmic"},
            "greater than 0",
        ),
        (
            "Continuous",
            {"MinValue": "0", "MaxValue": "1", "ScalingType": "ReverseLogarithmic"},
            "MaxValue < 1",
        ),
    ],
)
def test_a_range_that_makes_no_sense_is_refused_by_name(kind, given, reason):
    with pytest.raises(ServiceError, match=reason):
        ranges_of({f"{kind}ParameterRanges": [{"Name": "x", **given}]}, OWN)


def test_a_name_has_one_range():
    once = {"Name": "x", "MinValue": "0", "MaxValue": "1"}
    with pytest.raises(ServiceError, match="name x more than once"):
        ranges_of({"ContinuousParameterRanges": [once, once]}, OWN)
    with pytest.raises(ServiceError, match="At least one"):
        ranges_of({}, OWN)


@pytest.mark.parametrize("maximise", [True, False])
def test_the_median_rule_compares_with_running_averages_of_ended_jobs(maximise):
    rule, sign = MedianRule(maximise=maximise), 1 if maximise else -1
    for job, values in {"a": [1, 2, 3], "b": [2, 4, 6], "c": [3, 6, 9]}.items():
        assert not any(rule.is_behind(job, sign * value) for value in values)
        rule.end(job)
    # The median of running averages is that of b: 2, 3, 4.
    assert [rule.is_behind("d", sign * value) for value in (2, 2.9, 4)] == [False, True, False]
    # Nobody has reported a fourth value.
    assert not rule.is_behind("d", sign * -99)


def test_two_ended_jobs_are_no_measure_yet():
    rule = MedianRule(maximise=True)
    for job in ("a", "b"):
        rule.is_behind(job, 1.0)
        rule.end(job)
    assert not rule.is_behind("c", -1.0)
