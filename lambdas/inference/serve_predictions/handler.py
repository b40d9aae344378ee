"""Lambda behind the API: ``POST /predictions`` and ``GET /predictions/{prediction_id}``."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lambdas.common.clock import utc_now
from lambdas.common.observability import JsonLogger
from lambdas.common.problem import problem
from lambdas.common.settings import read_settings
from lambdas.inference.serve_predictions.adapters import DynamoPredictionLog, SageMakerEndpoint
from lambdas.inference.serve_predictions.identifiers import uuid7
from lambdas.inference.serve_predictions.logic import (
    CORRELATION_HEADER,
    ApiRequest,
    ApiResponse,
    Now,
    PredictionService,
    problem_response,
    transport_headers,
)

LOGGER = JsonLogger("serve_predictions")
ENDPOINT_TIMEOUTS = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 1})
"""API Gateway waits for 29 seconds; a slow model is not asked twice."""
_CORRELATION_ID = re.compile(r"^[A-Za-z0-9._:-]{1,128}$")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    endpoint_name: str
    prediction_table: str
    prediction_days: int


@cache
def _service() -> PredictionService:
    settings = read_settings(Settings, os.environ)
    runtime = boto3.client("sagemaker-runtime", config=ENDPOINT_TIMEOUTS)
    return PredictionService(
        endpoint=SageMakerEndpoint(runtime, settings.endpoint_name),
        log=DynamoPredictionLog(boto3.client("dynamodb"), settings.prediction_table),
        days=settings.prediction_days,
        now=lambda: Now(utc_now(), int(time.time())),
        new_id=lambda: uuid7(time.time_ns() // 1_000_000, os.urandom(10)),
    )


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request of API Gateway's Lambda proxy integration."""
    return respond(event, _service)


def respond(event: Mapping[str, Any], service: Callable[[], PredictionService]) -> dict[str, Any]:
    """Answer a proxy event; a service that cannot be made is a failed request too."""
    started = time.perf_counter()
    request = _request(event)
    logger = LOGGER.bind(correlation_id=request.correlation_id)
    response = _answer(request, service, logger)
    logger.info(
        "request answered",
        method=request.method,
        path=request.path,
        status=response.status,
        milliseconds=round((time.perf_counter() - started) * 1000, 2),
    )
    return {
        "statusCode": response.status,
        "headers": transport_headers(response, request.correlation_id),
        "body": json.dumps(response.document),
        "isBase64Encoded": False,
    }


def _answer(
    request: ApiRequest, service: Callable[[], PredictionService], logger: JsonLogger
) -> ApiResponse:
    try:
        return service().answer(request)
    except Exception as error:  # noqa: BLE001 - the API's boundary: logged, told to the caller
        logger.failure("request failed", error)
        detail = f"The request failed on our side. Quote {request.correlation_id} when you ask."
        return problem_response(problem(500, "internal-error", detail), {})


def _request(event: Mapping[str, Any]) -> ApiRequest:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    given = headers.get(CORRELATION_HEADER.lower()) or ""
    made = event.get("requestContext", {}).get("requestId") or os.urandom(16).hex()
    return ApiRequest(
        method=event["httpMethod"],
        path=event["path"],
        body=event.get("body"),
        is_base64=bool(event.get("isBase64Encoded")),
        correlation_id=given if _CORRELATION_ID.match(given) else made,
        content_type=headers.get("content-type") or "",
    )


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # In Lambda, clients are made while the environment starts, not while a caller waits.
    _service()
