"""Lambda behind `POST /rollbacks`: API Gateway has checked who signed the request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from lambdas.common.api import ApiRequest, ApiResponse, serve
from lambdas.common.dynamo_attempts import once
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.idempotency import Once
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.documented import read_body
from lambdas.inference.request_rollback.adapters import StepFunctionsWorkflow
from lambdas.inference.request_rollback.logic import Rollbacks

LOGGER = JsonLogger("request_rollback")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str
    attempt_table: str
    deployment_workflow: str


@cache
def _wiring() -> tuple[Once, Rollbacks]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return (
        once(dynamodb, settings.attempt_table),
        Rollbacks(
            DynamoModelRecords(dynamodb, settings.model_table, settings.use_case),
            StepFunctionsWorkflow(
                boto3.client("stepfunctions"),
                settings.deployment_workflow,
                lambda: os.urandom(4).hex(),
            ),
        ),
    )


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request."""
    return serve(event, LOGGER, lambda request: _wiring()[0].answer(request, _answer))


def _answer(request: ApiRequest) -> ApiResponse:
    response = _wiring()[1].request(request, read_body(request, "RollbackRequest"))
    LOGGER.info(
        "rollback asked for",
        correlation_id=request.correlation_id,
        requested_by=request.caller,
        **response.document,
    )
    return response
