"""The verdicts that a team argues about: each kind of challenger, and the words that explain it."""

from __future__ import annotations

import json

import pytest

from lambdas.common.claims import CLAIMED, Claim
from lambdas.training_pipeline.judge_model.__main__ import main
from lambdas.training_pipeline.judge_model.logic import judge_model
from tests.unit.common.fakes import FakeClaims
from tests.unit.training_pipeline.test_lambda_judge import GATE, GOOD, FakeReports, FakeServing

CHAMPION = {**GOOD, "log_loss": 0.46}
GATES = {
    **GATE,
    "min_gain_chance": 0.95,
    "max_member_loss_auc": 0.02,
    "max_calibration_gap": 0.05,
    "without_source": {"weather": {"min_auc": 0.6, "max_log_loss": 0.55}},
}


def gain(value, low, high, chance):
    return {"gain": value, "low": low, "high": high, "chance": chance}


def evaluated(**changes):
    """A challenger that is clearly better everywhere, but for the changes."""
    return {
        "dataset_id": "d-1",
        "challenger": GOOD,
        "champion": CHAMPION,
        "baselines": {},
        "members": {},
        "without_source": {"weather": {**GOOD, "auc": 0.7}},
        "slices": {"place": {"x": GOOD, "y": GOOD}},
        "champion_slices": {"place": {"x": CHAMPION, "y": CHAMPION}},
        "model_size_bytes": 900,
        "latency_ms_p50": 1.0,
        "fairness": {"group": {"max_calibration_gap": 0.01}},
        "comparison": {
            "metrics": {"log_loss": gain(0.01, 0.005, 0.015, 1.0)},
            "slices": {"place": {"x": gain(-0.05, -0.08, -0.02, 0.0)}},
            "members": {"first": 0.01},
            "champion_missing": {},
        },
        **changes,
    }


def compared(**changes):
    return {**evaluated()["comparison"], **changes}


class Reports(FakeReports):
    def gate(self, config_digest):
        return GATES


def verdict(report):
    facts = {"dataset_id": "d-1", "config_digest": "c-1", "champion_version": 1}
    claims = FakeClaims(Claim("t-1", CLAIMED, "me", facts))
    request = {"training_id": "t-1", "evaluation_uri": "s3://m/e"}
    return judge_model(request, claims, Reports(report), FakeServing(1))


def test_a_challenger_that_is_clearly_better_is_promoted():
    judged = verdict(evaluated())
    assert judged["verdict"] == "promoted"
    assert all(rule["passed"] for rule in judged["rules"])
    assert any("beyond noise" in reason for reason in judged["reasons"])


@pytest.mark.parametrize(
    ("report", "expected", "rule", "words"),
    [
        (
            evaluated(challenger={**GOOD, "log_loss": 0.48}),
            "rejected",
            "min_gain_log_loss",
            "worse by 0.02",
        ),
        (
            evaluated(slices={"place": {"x": {**GOOD, "log_loss": 0.51}, "y": GOOD}}),
            "rejected",
            "max_slice_loss_log_loss.place=x",
            "On slice place=x the log loss is 0.51 against the champion's 0.46: worse by 0.05",
        ),
        (
            evaluated(
                slices={"place": {"x": {**GOOD, "log_loss": 0.51}, "y": GOOD}},
                comparison=compared(slices={"place": {"x": gain(-0.05, -0.1, 0.02, 0.1)}}),
            ),
            "needs_approval",
            "max_slice_loss_log_loss.place=x",
            "that may be chance",
        ),
        (
            evaluated(
                comparison=compared(metrics={"log_loss": gain(0.01, -0.004, 0.02, 0.8)}),
            ),
            "needs_approval",
            "min_gain_chance",
            "within noise: 0.01, 95 % interval -0.004 to 0.02, above 0 in 80.0% of the resampled",
        ),
        (
            evaluated(latency_ms_p50=7.5),
            "rejected",
            "max_latency_ms_p50",
            "Median latency in ms 7.5 is above the limit 5.",
        ),
        (
            evaluated(model_size_bytes=2000),
            "rejected",
            "max_model_size_bytes",
            "Model size in bytes 2000 is above the limit 1000.",
        ),
        (
            evaluated(comparison=compared(members={"first": -0.05})),
            "rejected",
            "max_member_loss_auc.first",
            "Member first's AUC is worse by 0.05",
        ),
        (
            evaluated(without_source={"weather": {**GOOD, "auc": 0.55}}),
            "rejected",
            "without_source.weather.min_auc",
            "AUC without the source weather 0.55 is below the required 0.6.",
        ),
        (
            evaluated(fairness={"group": {"max_calibration_gap": 0.09}}),
            "rejected",
            "max_calibration_gap.group",
            "Calibration gap between groups of group 0.09 is above the limit 0.05.",
        ),
    ],
    ids=[
        "worse overall",
        "worse on one slice",
        "perhaps worse on one slice",
        "better within noise",
        "too slow",
        "too big",
        "one member worse",
        "weak without a source",
        "unfair",
    ],
)
def test_each_challenger_gets_its_verdict_with_the_rule_and_its_words(
    report, expected, rule, words
):
    judged = verdict(report)
    assert judged["verdict"] == expected
    assert [found["rule"] for found in judged["rules"] if not found["passed"]] == [rule]
    assert words in judged["reasons"][0]


@pytest.mark.parametrize(
    ("left_out", "rule"),
    [
        ("comparison", "min_gain_chance"),
        ("fairness", "max_calibration_gap"),
    ],
)
def test_what_a_limit_needs_and_nobody_measured_is_no_promotion(left_out, rule):
    report = evaluated()
    del report[left_out]
    judged = verdict(report)
    assert judged["verdict"] == "rejected"
    assert rule in [found["rule"] for found in judged["rules"] if not found["passed"]]


def test_a_rejection_outweighs_a_question():
    judged = verdict(
        evaluated(
            latency_ms_p50=9.0,
            comparison=compared(metrics={"log_loss": gain(0.01, -0.004, 0.02, 0.8)}),
        )
    )
    assert judged["verdict"] == "rejected"
    assert judged["rules"][0]["rule"] == "max_latency_ms_p50"
    assert judged["rules"][1]["rule"] == "min_gain_chance"


@pytest.mark.parametrize("changes", [{}, {"latency_ms_p50": 7.5}])
def test_a_change_that_is_only_tried_gets_the_verdict_that_it_would_get(tmp_path, capsys, changes):
    report = evaluated(**changes)
    evaluation, configuration = tmp_path / "e.json", tmp_path / "c.json"
    evaluation.write_text(json.dumps(report))
    configuration.write_text(json.dumps({"gates": GATES}))

    main(str(evaluation), str(configuration))

    told, judged = json.loads(capsys.readouterr().out), verdict(report)
    assert (told["verdict"], told["rules"]) == (judged["verdict"], judged["rules"])
