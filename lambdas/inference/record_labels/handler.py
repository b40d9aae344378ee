"""Lambda behind `POST /labels`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from lambdas.common.api import ApiRequest, ApiResponse, serve
from lambdas.common.dynamo_attempts import once
from lambdas.common.idempotency import Once
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.documented import read_body
from lambdas.inference.record_labels.adapters import DynamoPredictions
from lambdas.inference.record_labels.logic import record_labels

LOGGER = JsonLogger("record_labels")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    prediction_table: str
    attempt_table: str


@cache
def _wiring() -> tuple[Once, DynamoPredictions]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return (
        once(dynamodb, settings.attempt_table),
        DynamoPredictions(dynamodb, settings.prediction_table),
    )


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request."""
    return serve(event, LOGGER, lambda request: _wiring()[0].answer(request, _answer))


def _answer(request: ApiRequest) -> ApiResponse:
    return record_labels(read_body(request, "LabelRequest"), _wiring()[1])
