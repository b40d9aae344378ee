"""Gives the verdict on a challenger, from its evaluation and the limits of its training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lambdas.common.claims import Claim, Claims
from lambdas.common.errors import DocumentedError
from lambdas.training_pipeline.contract import (
    JudgeModelRequest,
    JudgeModelResponse,
    RuleFinding,
    Verdict,
)
from lambdas.training_pipeline.judge_model.rules import findings
from pipeline_code.training_pipeline.contract import EVALUATION_NAME, Evaluation, Gate


class TrainingNotFoundError(DocumentedError):
    """No training {training_id} was planned."""


class EvaluationMismatchError(DocumentedError):
    """The evaluation at {evaluation_uri} does not fit the training {training_id}: {fault}."""


class ChampionChangedError(DocumentedError):
    """The challenger was compared with {compared}, but {serving} serves now. Train again."""


class Reports(Protocol):
    """Evaluations, and the limits of the configuration that a training used."""

    def evaluation(self, uri: str) -> Evaluation:
        """Read an evaluation."""

    def gate(self, config_digest: str) -> Gate:
        """Read the limits of a configuration."""


class Serving(Protocol):
    """What serves."""

    def version(self) -> int | None:
        """Give the version that serves."""


def judge_model(
    request: JudgeModelRequest, claims: Claims, reports: Reports, serving: Serving
) -> JudgeModelResponse:
    """Promote a challenger that breaks no rule; ask a person where numbers cannot decide."""
    claim = claims.get(request["training_id"])
    if claim is None:
        raise TrainingNotFoundError(training_id=request["training_id"])
    uri = evaluation_address(request["evaluation_uri"])
    evaluation = reports.evaluation(uri)
    _check(claim, evaluation, uri, serving)
    return judged(evaluation, reports.gate(str(claim.facts["config_digest"])), uri)


def judged(evaluation: Evaluation, gate: Gate, uri: str) -> JudgeModelResponse:
    """Apply the rules to an evaluation; what decided comes first."""
    rules = sorted(findings(evaluation, gate), key=_severity)
    return {
        "verdict": _verdict(rules),
        "reasons": [rule["reason"] for rule in rules],
        "rules": rules,
        "evaluation_uri": uri,
    }


def _severity(rule: RuleFinding) -> int:
    """Sort what rejects before what asks a person, and both before what was kept."""
    if rule["passed"]:
        return 2
    return 1 if rule["broken_means"] == "needs_approval" else 0


def _verdict(rules: Sequence[RuleFinding]) -> Verdict:
    """Give what the worst broken rule means."""
    worst = next(iter(rules), None)
    return "promoted" if worst is None or worst["passed"] else worst["broken_means"]


def evaluation_address(uri: str) -> str:
    """Give the report's address, whether that or the prefix that it lies under is given."""
    return uri if uri.endswith(f"/{EVALUATION_NAME}") else f"{uri.rstrip('/')}/{EVALUATION_NAME}"


def _check(claim: Claim, evaluation: Evaluation, uri: str, serving: Serving) -> None:
    compared = claim.facts["champion_version"]
    fault = ""
    if evaluation["dataset_id"] != claim.facts["dataset_id"]:
        fault = f"it is of dataset {evaluation['dataset_id']}, not {claim.facts['dataset_id']}"
    elif compared is not None and not {"champion", "champion_slices"} <= evaluation.keys():
        fault = f"the comparison with the champion, version {compared}, is missing"
    if fault:
        raise EvaluationMismatchError(evaluation_uri=uri, training_id=claim.subject, fault=fault)
    current = serving.version()
    if current != compared:
        raise ChampionChangedError(compared=compared or "nothing", serving=current or "nothing")
