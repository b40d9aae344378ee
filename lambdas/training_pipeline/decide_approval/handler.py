"""Lambda behind `POST /approvals/{version}`: API Gateway has checked who signed the request."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.errors import DocumentedError
from lambdas.common.observability import JsonLogger
from lambdas.common.problem import problem
from lambdas.common.sagemaker_packages import SageMakerPackages
from lambdas.common.settings import read_settings
from lambdas.training_pipeline.decide_approval.adapters import StepFunctionsWorkflows
from lambdas.training_pipeline.decide_approval.logic import (
    BadDecisionError,
    Desk,
    NobodyError,
    NothingToDecideError,
    SamePersonError,
    WaitingIsOverError,
    decide,
    read_answer,
)
from lambdas.training_pipeline.dynamo_approvals import DynamoApprovals
from pipeline_code.inference.contract import JSON, PROBLEM_JSON

LOGGER = JsonLogger("decide_approval")
_REFUSALS: dict[type[DocumentedError], tuple[HTTPStatus, str]] = {
    BadDecisionError: (HTTPStatus.BAD_REQUEST, "bad-decision"),
    SamePersonError: (HTTPStatus.FORBIDDEN, "separation-of-duties"),
    NobodyError: (HTTPStatus.FORBIDDEN, "unknown-caller"),
    NothingToDecideError: (HTTPStatus.CONFLICT, "nothing-to-decide"),
    WaitingIsOverError: (HTTPStatus.CONFLICT, "waiting-is-over"),
}


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str
    ledger_table: str
    model_package_group: str = ""


@cache
def _desk() -> Desk:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    records = DynamoModelRecords(dynamodb, settings.model_table, settings.use_case)
    return Desk(
        models=records,
        approvals=DynamoApprovals(dynamodb, settings.model_table, settings.use_case),
        workflows=StepFunctionsWorkflows(boto3.client("stepfunctions")),
        packages=SageMakerPackages(
            boto3.client("sagemaker"), settings.model_package_group, settings.use_case, records
        ),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
        clock=utc_now,
    )


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take a person's decision on a version."""
    approver = str(event["requestContext"]["identity"].get("userArn") or "")
    version = str(event["pathParameters"]["version"])
    try:
        answer = read_answer(version, _json(event.get("body")), approver)
        decision = decide(answer, _desk())
    except tuple(_REFUSALS) as error:
        status, kind = _REFUSALS[type(error)]
        LOGGER.warning("decision refused", version=version, approver=approver, kind=kind)
        return _answer(status, PROBLEM_JSON, problem(status, kind, str(error)))
    LOGGER.info("decision taken", version=version, **decision)
    return _answer(HTTPStatus.OK, JSON, {"version": answer.version, **decision})


def _json(body: str | None) -> Any:
    try:
        return json.loads(body or "")
    except ValueError:
        return None


def _answer(status: HTTPStatus, content_type: str, document: Any) -> dict[str, Any]:
    return {
        "statusCode": int(status),
        "headers": {"Content-Type": content_type},
        "body": json.dumps(document),
    }
