"""Lambda that a schedule calls each hour, and an operator when the endpoint is to stop."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.contract import StopEndpointRequest, StopEndpointResponse
from lambdas.inference.stop_idle_endpoint.adapters import WatchedHosting
from lambdas.inference.stop_idle_endpoint.logic import stop_idle_endpoint

LOGGER = JsonLogger("stop_idle_endpoint")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    endpoint_name: str
    ledger_table: str
    idle_hours: int


@cache
def _wiring() -> partial[StopEndpointResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return partial(
        stop_idle_endpoint,
        name=settings.endpoint_name,
        idle=timedelta(hours=settings.idle_hours),
        hosting=WatchedHosting(boto3.client("sagemaker"), boto3.client("cloudwatch")),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
    )


def lambda_handler(event: StopEndpointRequest, _context: object) -> StopEndpointResponse:
    """Stop the endpoint when nobody has asked it, or when an operator says so."""
    response = _wiring()(event, now=datetime.now(UTC))
    LOGGER.info("endpoint looked at", **response)
    return response
