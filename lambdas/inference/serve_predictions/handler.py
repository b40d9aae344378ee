"""Lambda behind the API: ``POST /predictions`` and ``GET /predictions/{prediction_id}``."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lambdas.common.api import serve
from lambdas.common.clock import utc_now
from lambdas.common.dynamo_attempts import once
from lambdas.common.idempotency import Once
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.serve_predictions.adapters import QueuedPredictionLog, SageMakerEndpoint
from lambdas.inference.serve_predictions.evidence import (
    DynamoEvidence,
    Evidence,
    WatchedEndpoint,
    in_background,
)
from lambdas.inference.serve_predictions.identifiers import uuid7
from lambdas.inference.serve_predictions.logic import Now, PredictionService
from lambdas.inference.serve_predictions.online_inputs import FeatureStoreInputs

LOGGER = JsonLogger("serve_predictions")
ENDPOINT_TIMEOUTS = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 1})
"""API Gateway waits for 29 seconds; a slow model is not asked twice."""
QUEUE_TIMEOUTS = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
"""What the log may cost a caller at most, however it fares."""
INPUT_TIMEOUTS = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 2})


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    endpoint_name: str
    prediction_table: str
    prediction_days: int
    prediction_queue: str
    feature_groups: str
    attempt_table: str
    evidence_table: str


@cache
def _service() -> PredictionService:
    settings = read_settings(Settings, os.environ)
    runtime = boto3.client("sagemaker-runtime", config=ENDPOINT_TIMEOUTS)
    counters = DynamoEvidence(
        boto3.client("dynamodb"), settings.evidence_table, settings.endpoint_name
    )
    return PredictionService(
        endpoint=WatchedEndpoint(
            SageMakerEndpoint(runtime, settings.endpoint_name), Evidence(counters, in_background)
        ),
        log=QueuedPredictionLog(
            boto3.client("sqs", config=QUEUE_TIMEOUTS),
            settings.prediction_queue,
            boto3.client("dynamodb"),
            settings.prediction_table,
        ),
        inputs=FeatureStoreInputs(
            boto3.client("sagemaker-featurestore-runtime", config=INPUT_TIMEOUTS),
            boto3.client("sagemaker"),
            json.loads(settings.feature_groups),
        ),
        days=settings.prediction_days,
        now=lambda: Now(utc_now(), int(time.time())),
        new_id=lambda: uuid7(time.time_ns() // 1_000_000, os.urandom(10)),
    )


@cache
def _once() -> Once:
    return once(boto3.client("dynamodb"), read_settings(Settings, os.environ).attempt_table)


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request of API Gateway's Lambda proxy integration."""
    return serve(event, LOGGER, lambda request: _once().answer(request, _service().answer))


def respond(event: Mapping[str, Any], service: Callable[[], PredictionService]) -> dict[str, Any]:
    """Answer a proxy event; a service that cannot be made is a failed request too."""
    return serve(event, LOGGER, lambda request: service().answer(request))


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # In Lambda, clients are made while the environment starts, not while a caller waits.
    _service()
