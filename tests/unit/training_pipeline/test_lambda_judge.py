"""The verdict: who breaks a rule is rejected, and every rule says its numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.claims import CLAIMED, Claim
from lambdas.training_pipeline.judge_model.logic import (
    ChampionChangedError,
    EvaluationMismatchError,
    TrainingNotFoundError,
    judge_model,
)
from lambdas.training_pipeline.judge_model.rules import findings
from lambdas.training_pipeline.training_config import TrainingConfigError, gate, member_names
from tests.unit.common.fakes import FakeClaims

GATE = {
    "min_auc": 0.7,
    "max_log_loss": 0.5,
    "max_brier": 0.2,
    "max_ece": 0.03,
    "min_gain_log_loss": 0.001,
    "max_slice_loss_log_loss": 0.02,
    "max_model_size_bytes": 1000,
    "max_latency_ms_p50": 5.0,
}
GOOD = {
    "auc": 0.75,
    "pr_auc": 0.6,
    "log_loss": 0.45,
    "brier": 0.16,
    "ece": 0.02,
    "base_rate": 0.3,
    "rows": 100,
}
FINITE = st.floats(0, 2)


def evaluation(challenger=None, **more):
    return {
        "dataset_id": "d-1",
        "challenger": {**GOOD, **(challenger or {})},
        "baselines": {},
        "members": {},
        "without_source": {},
        "slices": {"place": {"x": GOOD, "y": GOOD}},
        "model_size_bytes": 900,
        "latency_ms_p50": 1.0,
        **more,
    }


def broken(evaluated):
    return [rule["reason"] for rule in findings(evaluated, GATE) if not rule["passed"]]


class FakeReports:
    def __init__(self, evaluated):
        self.evaluations = {"s3://m/e/evaluation.json": evaluated}

    def evaluation(self, uri):
        return self.evaluations[uri]

    def gate(self, config_digest):
        return {"c-1": GATE}[config_digest]


class FakeServing:
    def __init__(self, version):
        self._version = version

    def version(self):
        return self._version


def judge(evaluated, *, compared=None, serving=None):
    facts = {"dataset_id": "d-1", "config_digest": "c-1", "champion_version": compared}
    claims = FakeClaims(Claim("t-1", CLAIMED, "me", facts))
    request = {"training_id": "t-1", "evaluation_uri": "s3://m/e"}
    return judge_model(request, claims, FakeReports(evaluated), FakeServing(serving))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"auc": 0.69}, "AUC 0.69 is below the required 0.7."),
        ({"log_loss": 0.51}, "Log loss 0.51 is above the limit 0.5."),
        ({"brier": 0.21}, "Brier score 0.21 is above the limit 0.2."),
        ({"ece": 0.04}, "Calibration error 0.04 is above the limit 0.03."),
        ({"auc": float("nan")}, "AUC nan is below the required 0.7."),
    ],
)
def test_one_broken_limit_is_enough(changed, reason):
    assert broken(evaluation(changed)) == [reason]


def test_size_and_latency_are_limited_too():
    reasons = broken(evaluation(model_size_bytes=1001, latency_ms_p50=6.0))
    assert reasons == [
        "Model size in bytes 1001 is above the limit 1000.",
        "Median latency in ms 6 is above the limit 5.",
    ]


@given(FINITE, FINITE, FINITE, FINITE, st.integers(0, 2000), st.floats(0, 10))
def test_a_first_model_passes_exactly_when_it_keeps_every_limit(
    auc, log_loss, brier, ece, size, latency
):
    challenger = {"auc": auc, "log_loss": log_loss, "brier": brier, "ece": ece}
    keeps = (
        auc >= 0.7
        and log_loss <= 0.5
        and brier <= 0.2
        and ece <= 0.03
        and size <= 1000
        and latency <= 5.0
    )
    measured = evaluation(challenger, model_size_bytes=size, latency_ms_p50=latency)
    assert (broken(measured) == []) == keeps


@given(st.floats(0.001, 0.5), st.floats(0.0, 1.0))
def test_a_champion_is_replaced_only_by_a_gain(challenger, champion):
    measured = evaluation({"log_loss": challenger}, champion={**GOOD, "log_loss": champion})
    assert (broken(measured) == []) == (champion - challenger >= 0.001)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_no_slice_may_lose_more_than_allowed(challenger, champion):
    measured = evaluation(
        {},
        champion={**GOOD, "log_loss": 0.6},
        slices={"place": {"x": {**GOOD, "log_loss": challenger}}},
        champion_slices={"place": {"x": {**GOOD, "log_loss": champion}}},
    )
    reasons = broken(measured)
    assert (reasons == []) == (challenger - champion <= 0.02)
    assert all("place=x" in reason for reason in reasons)


def test_a_slice_that_was_not_measured_counts_against_the_challenger():
    measured = evaluation(
        {}, champion={**GOOD, "log_loss": 0.6}, champion_slices={"place": {"z": GOOD}}
    )
    assert broken(measured) == [
        "Slice place=z was measured for the champion, but not for the challenger."
    ]


def test_reasons_come_with_a_promotion_as_well():
    verdict = judge(evaluation())
    assert verdict["verdict"] == "promoted"
    assert "AUC 0.75 reaches the required 0.7." in verdict["reasons"]
    assert "No model is serving yet: there is no champion to beat." in verdict["reasons"]


def test_what_was_broken_is_said_first():
    verdict = judge(evaluation({"auc": 0.1}))
    assert verdict["verdict"] == "rejected"
    assert verdict["reasons"][0].startswith("AUC 0.1 is below")


def test_an_evaluation_of_other_data_is_not_judged():
    with pytest.raises(EvaluationMismatchError, match="dataset d-2, not d-1"):
        judge({**evaluation(), "dataset_id": "d-2"})


def test_a_missing_comparison_is_not_a_promotion():
    with pytest.raises(EvaluationMismatchError, match="champion, version 3, is missing"):
        judge(evaluation(), compared=3, serving=3)


def test_the_comparison_must_be_with_what_serves():
    compared = evaluation(champion={**GOOD, "log_loss": 0.6}, champion_slices={})
    with pytest.raises(ChampionChangedError, match="compared with 3, but 4 serves"):
        judge(compared, compared=3, serving=4)
    assert judge(compared, compared=3, serving=3)["verdict"] == "promoted"


def test_an_unplanned_training_is_not_judged():
    request = {"training_id": "t-9", "evaluation_uri": "s3://m/e"}
    with pytest.raises(TrainingNotFoundError, match="t-9"):
        judge_model(request, FakeClaims(), FakeReports(evaluation()), FakeServing(None))


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({}, "gates"),
        ({"gates": {**GATE, "max_ece": "low"}}, r"gates\.max_ece is 'low'"),
        ({"gates": {k: v for k, v in GATE.items() if k != "min_auc"}}, r"gates\.min_auc is None"),
    ],
)
def test_a_configuration_without_limits_is_refused(config, named):
    with pytest.raises(TrainingConfigError, match=named):
        gate(config)


def test_members_are_named_and_named_differently():
    assert member_names({"members": [{"name": "a"}, {"name": "b"}]}) == ["a", "b"]
    with pytest.raises(TrainingConfigError, match="named differently"):
        member_names({"members": [{"name": "a"}, {"name": "a"}]})
    with pytest.raises(TrainingConfigError, match="members"):
        member_names({})
