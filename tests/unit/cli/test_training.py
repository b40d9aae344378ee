"""A training is told with its jobs, its verdict and the model's quality beside its baselines."""

from __future__ import annotations

import json

from cli.executions import Execution
from cli.screen import console
from cli.training import jobs_of, metrics_table, plan_of, tell
from tests.unit.cli.histories import execution, exited

PLAN = {
    "status": "ready",
    "training_id": "t-1",
    "members": [{"name": "first", "training_job_name": "job-first", "hyperparameters": {}}],
    "stack_job_name": "job-stack",
    "evaluation_job_name": "job-evaluation",
    "registered_version": None,
}
METRICS = {"auc": 0.7, "pr_auc": 0.5, "log_loss": 0.5, "brier": 0.1, "ece": 0.02}
EVALUATION = {
    "challenger": {**METRICS, "auc": 0.7512},
    "baselines": {
        "base_rate": {**METRICS, "auc": 0.5},
        "logistic_regression": {**METRICS, "auc": 0.7429},
    },
    "members": {"first": METRICS},
    "without_source": {"weather": METRICS},
}


def _evaluated(target):
    target.client("s3").put_object(
        Bucket="model-input", Key="evaluations/t-1/evaluation.json", Body=json.dumps(EVALUATION)
    )


def _text(table):
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_the_jobs_of_a_plan_are_members_stacker_and_evaluation():
    names = [(job.name, job.is_processing) for job in jobs_of(PLAN)]

    assert names == [("job-first", False), ("job-stack", False), ("job-evaluation", True)]


def test_before_the_plan_there_is_none():
    assert plan_of(execution(status="RUNNING")) == {}


def test_quality_stands_beside_base_rate_and_logistic_regression():
    text = _text(metrics_table(EVALUATION))

    for part in ("this model", "0.7512", "base rate", "logistic regression", "0.7429"):
        assert part in text
    assert "without weather" in text


def test_a_finished_training_tells_its_verdict_and_reasons(foundation, capsys):
    _evaluated(foundation)
    verdict = {
        "verdict": "promoted",
        "reasons": ["AUC .7512 is at least .7443"],
        "evaluation_uri": "s3://model-input/evaluations/t-1/",
    }
    run: Execution = execution(exited("Plan", 1, PLAN), exited("Judge", 9, verdict), stopped=9)

    outcome = tell(foundation, run)

    assert (outcome.status, outcome.verdict, outcome.seconds) == ("ready", "promoted", 9.0)
    assert outcome.evaluation == EVALUATION
    assert "AUC .7512 is at least .7443" in capsys.readouterr().out


def test_unchanged_inputs_tell_the_model_that_they_gave_before(foundation, capsys):
    _evaluated(foundation)
    foundation.session.resource("dynamodb").Table("models").put_item(
        Item={
            "pk": "MODEL#example",
            "sk": "V#00000004",
            "verdict": "promoted",
            "reasons": [],
            "evaluation_uri": "s3://model-input/evaluations/t-1/evaluation.json",
        }
    )
    plan = {**PLAN, "status": "unchanged", "members": [], "registered_version": 4}

    outcome = tell(foundation, execution(exited("Plan", 1, plan), stopped=1))

    assert (outcome.status, outcome.verdict) == ("unchanged", "promoted")
    assert outcome.evaluation == EVALUATION
    assert "unchanged" in capsys.readouterr().out
