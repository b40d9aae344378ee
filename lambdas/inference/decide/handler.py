"""Lambda behind the API: ``POST /decisions`` and ``GET /decisions/{decision_id}``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from lambdas.common.api import serve
from lambdas.common.clock import utc_now
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.decide.adapters import DynamoLoggedPredictions
from lambdas.inference.decide.logic import DecisionService
from lambdas.inference.decision_store import AwsDecisionStore
from pipeline_code.inference.decision_policy import load_decision_code, load_policy
from pipeline_code.inference.decisions import Decider

LOGGER = JsonLogger("decide")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    prediction_table: str
    decision_table: str
    analytics_bucket: str


@cache
def _service() -> DecisionService:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    decider = Decider(load_policy(settings.use_case), load_decision_code(settings.use_case))
    decider.solver_version()  # loads the library while the environment starts
    return DecisionService(
        decider=decider,
        predictions=DynamoLoggedPredictions(dynamodb, settings.prediction_table),
        store=AwsDecisionStore(
            dynamodb, boto3.client("s3"), settings.decision_table, settings.analytics_bucket
        ),
        clock=utc_now,
    )


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request of API Gateway's Lambda proxy integration."""
    return serve(event, LOGGER, lambda request: _service().answer(request))


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # In Lambda, clients are made while the environment starts, not while a caller waits.
    _service()
