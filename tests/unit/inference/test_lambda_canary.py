"""The canary judge: bad versions are rolled back, good ones are left alone, noise is noise."""

from __future__ import annotations

import math
import os

import pytest

from bench.canary_traffic import GOOD, KINDS, Traffic, deployment
from lambdas.inference.canary_evidence import (
    ANSWERS,
    FAILURES,
    above,
    latency_counter,
    quantile_bin,
    score_counter,
    since,
)
from lambdas.inference.judge_canary.checks import CHECKS, Limits
from lambdas.inference.judge_canary.logic import CONTINUE, ROLL_BACK, first_look, look_again
from lambdas.inference.judge_canary.sequential_test import Trials, advanced, log_mean

RUNS = int(os.environ.get("CANARY_RUNS", "3"))
SAME = int(os.environ.get("CANARY_SAME", "8"))
MOST_BAD_ANSWERS = 61
BAD = (
    "raises on every call",
    "dies on every call",
    "fails 20 %",
    "fails 5 %",
    "three times slower",
    "classes swapped",
    "not a number",
)


@pytest.mark.parametrize("kind", BAD)
def test_bad_versions_are_rolled_back(kind):
    # A rare failure needs time: a deployment bakes as long as it takes to see it.
    traffic = Traffic(seconds=600)
    outcomes = [deployment(seed, KINDS[kind], traffic, Limits()) for seed in range(RUNS)]
    assert all(outcome.rolled_back for outcome in outcomes)
    assert outcomes[0].reason.startswith("the new version ")


@pytest.mark.parametrize("kind", ["raises on every call", "not a number"])
def test_a_version_that_always_fails_gives_few_bad_answers(kind):
    outcomes = [deployment(seed, KINDS[kind], Traffic(), Limits()) for seed in range(RUNS)]
    assert max(outcome.bad_answers for outcome in outcomes) <= MOST_BAD_ANSWERS
    assert max(outcome.seconds for outcome in outcomes) <= 30


@pytest.mark.parametrize("base_errors", [0.001, 0.005])
@pytest.mark.parametrize("garbage", [0.0, 0.05])
def test_an_identical_version_is_left_alone(base_errors, garbage):
    traffic = Traffic(base_errors=base_errors, garbage=garbage)
    outcomes = [deployment(seed, GOOD, traffic, Limits()) for seed in range(SAME)]
    wronged = sum(outcome.rolled_back for outcome in outcomes)
    assert wronged <= 0.01 * SAME
    # The rule that any error is one too many would have wronged nearly all of them.
    assert sum(outcome.any_error_alarm for outcome in outcomes) > wronged


def test_the_weights_share_one_budget():
    assert sum(check.weight for check in CHECKS.values()) == pytest.approx(1.0)


def counts(answers=0, failures=0, latency=8.0, score=0.3):
    return {
        ANSWERS: answers,
        FAILURES: failures,
        latency_counter(latency): answers,
        score_counter(score): answers,
    }


def judged(before, after, champion="1"):
    state = first_look(before)["state"]
    return look_again(state, after, champion=champion, challenger="2", limits=Limits())


def test_what_was_counted_before_the_deployment_is_no_evidence():
    before = {"1": counts(500), "2": counts(0, 400)}
    assert judged(before, before)["verdict"] == CONTINUE


def test_a_verdict_stays_once_it_is_spoken():
    bad = judged({}, {"1": counts(90), "2": counts(0, 10)})
    assert bad["verdict"] == ROLL_BACK
    assert "fails more often" in bad["reason"]
    after = {"1": counts(9000), "2": counts(1000, 10)}
    again = look_again(bad["state"], after, champion="1", challenger="2", limits=Limits())
    assert (again["verdict"], again["reason"]) == (ROLL_BACK, bad["reason"])


def test_the_first_version_of_all_is_judged_by_its_failures_alone():
    assert judged({}, {"2": counts(100)}, champion=None)["verdict"] == CONTINUE
    found = judged({}, {"2": counts(70, 30)}, champion=None)
    assert found["verdict"] == ROLL_BACK
    assert "fails too often" in found["reason"]


def test_a_failing_champion_is_no_reason_to_keep_it():
    found = judged({}, {"1": counts(60, 30), "2": counts(10)})
    assert found["verdict"] == CONTINUE


def test_twice_as_slow_is_put_up_with_and_a_little_otherwise_too():
    known = {"1": counts(100)}
    after = {"1": counts(1000), "2": counts(100, latency=15.0, score=0.3)}
    assert judged(known, after)["verdict"] == CONTINUE
    slow = {"1": counts(1000), "2": counts(100, latency=40.0)}
    assert "is slower" in judged(known, slow)["reason"]


@pytest.mark.parametrize("margin", [0.0, 0.2])
def test_the_expected_factor_is_at_most_one_on_the_edge_of_the_null_hypothesis(margin):
    pair, sizes = (0.1, 0.6), (4, 3)
    for rate in (0.02, 0.1, 0.3, 0.5, 0.7):
        expected = 0.0
        for first in range(sizes[0] + 1):
            for second in range(sizes[1] + 1):
                (log,) = advanced(
                    [0.0], [pair], Trials(sizes[0], first), Trials(sizes[1], second), margin
                )
                chance = binomial(sizes[0], first, rate) * binomial(sizes[1], second, rate + margin)
                expected += chance * math.exp(log)
        assert expected <= 1.0 + 1e-9


def binomial(number, successes, rate):
    ways = math.comb(number, successes)
    return ways * rate**successes * (1 - rate) ** (number - successes)


def test_what_is_not_answered_side_by_side_is_not_compared():
    assert advanced([1.5], [(0.1, 0.9)], Trials(0, 0), Trials(50, 50)) == [1.5]


def test_the_mean_of_great_e_values_does_not_overflow():
    assert log_mean([2000.0, 0.0]) == pytest.approx(2000.0 - math.log(2))


def test_counters_begin_anew_without_harm():
    assert since({"a": 3, "b": 5}, {"a": 10, "b": 2}) == {"b": 3}


def test_latencies_and_scores_fall_into_bins():
    seen = (0.1, 1.0, 1.3, 8.0, 15.9, 16.0, 900.0, 60_000.0, 1e9)
    bins = [int(latency_counter(each).removeprefix("latency_")) for each in seen]
    assert bins == sorted(bins)
    assert score_counter(1.0) == "score_9"
    known = {latency_counter(4.0): 30, latency_counter(64.0): 10}
    assert above(known, "latency_", 20) == (40, 10)
    assert quantile_bin(known, "latency_", 0.75) == 9
