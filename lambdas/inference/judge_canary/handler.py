"""Lambda of the steps that watch a new version beside the one before."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import boto3

from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.canary_evidence import UNKNOWN
from lambdas.inference.contract import AlarmRaisedError, JudgeCanaryRequest, JudgeCanaryResponse
from lambdas.inference.guardrails import Guardrails
from lambdas.inference.judge_canary.adapters import CloudWatchVerdicts, DynamoEvidence
from lambdas.inference.judge_canary.checks import Limits
from lambdas.inference.judge_canary.logic import (
    ROLL_BACK,
    Judgement,
    JudgeState,
    compared,
    first_look,
    look_again,
)

LOGGER = JsonLogger("judge_canary")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    endpoint_name: str
    evidence_table: str
    guardrails: str = ""


@dataclass(frozen=True)
class Judge:
    """The evidence, the limits, and where verdicts go."""

    evidence: DynamoEvidence
    verdicts: CloudWatchVerdicts
    limits: Limits


@cache
def _judge() -> Judge:
    settings = read_settings(Settings, os.environ)
    guardrails = Guardrails.read(settings.guardrails)
    return Judge(
        DynamoEvidence(boto3.client("dynamodb"), settings.evidence_table, settings.endpoint_name),
        CloudWatchVerdicts(boto3.client("cloudwatch"), guardrails.alarms),
        Limits(
            guardrails.error_budget,
            guardrails.failure_rate,
            guardrails.slower_octaves,
            guardrails.score_shift,
        ),
    )


def lambda_handler(event: JudgeCanaryRequest, _context: object) -> JudgeCanaryResponse:
    """Look at both versions and tell the verdict to CloudWatch."""
    judge = _judge()
    challenger, champion = str(event["version"]), event["champion"] or None
    judgement = _look(judge, event, champion, challenger)
    judge.verdicts.tell(event["endpoint_name"], bad=judgement["verdict"] == ROLL_BACK)
    told = {
        "verdict": judgement["verdict"],
        "reason": judgement["reason"],
        "compared": compared(judgement["state"], champion, challenger),
    }
    LOGGER.info("canary judged", execution_arn=event["execution_arn"], **told)
    return cast(JudgeCanaryResponse, {**told, "state": judgement["state"]})


def _look(
    judge: Judge, event: JudgeCanaryRequest, champion: str | None, challenger: str
) -> Judgement:
    evidence = judge.evidence.read({challenger, UNKNOWN, *([champion] if champion else [])})
    state: Any = event.get("state")
    if state is None:
        for alarm in judge.verdicts.raised():
            raise AlarmRaisedError(alarm=alarm)
        return first_look(evidence)
    return look_again(
        cast(JudgeState, state),
        evidence,
        champion=champion,
        challenger=challenger,
        limits=judge.limits,
    )
