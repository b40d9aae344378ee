"""Lambda behind `POST /approvals/{version}`: API Gateway has checked who signed the request."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

import boto3

from lambdas.common.api import ApiRequest, ApiResponse, serve
from lambdas.common.api_body import read_document
from lambdas.common.clock import utc_now
from lambdas.common.dynamo_attempts import once
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.errors import DocumentedError
from lambdas.common.idempotency import Once
from lambdas.common.observability import JsonLogger
from lambdas.common.refusals import RefusedError
from lambdas.common.sagemaker_packages import SageMakerPackages
from lambdas.common.settings import read_settings
from lambdas.training_pipeline.contract import APPROVALS_PATH
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

LOGGER = JsonLogger("decide_approval")
_RESOURCE = f"{APPROVALS_PATH}/{{version}}"
_SHOWN = 80
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
    attempt_table: str
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


@cache
def _once() -> Once:
    settings = read_settings(Settings, os.environ)
    return once(boto3.client("dynamodb"), settings.attempt_table)


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take a person's decision on a version."""
    return serve(event, LOGGER, lambda request: _once().answer(request, _answer))


def _answer(request: ApiRequest) -> ApiResponse:
    _check_route(request)
    version = request.parameters["version"]
    try:
        answer = read_answer(version, read_document(request), request.caller)
        decision = decide(answer, _desk())
    except tuple(_REFUSALS) as error:
        status, kind = _REFUSALS[type(error)]
        LOGGER.warning(
            "decision refused",
            correlation_id=request.correlation_id,
            version=version,
            approver=request.caller,
            kind=kind,
        )
        raise RefusedError(int(status), kind, str(error)) from error
    LOGGER.info(
        "decision taken", correlation_id=request.correlation_id, version=version, **decision
    )
    return ApiResponse(200, {"version": answer.version, **decision}, {})


def _check_route(request: ApiRequest) -> None:
    """Say what is not there: every request that no other method takes arrives here."""
    if request.resource != _RESOURCE:
        detail = f"There is nothing at {request.path[:_SHOWN]}; decisions go to {_RESOURCE}."
        raise RefusedError(404, "unknown-path", detail)
    if request.method != "POST":
        detail = f"{request.method} is not possible at {_RESOURCE}; POST is."
        raise RefusedError(405, "method-not-allowed", detail, headers={"Allow": "POST"})
