"""Lambda of the step "Record deployment"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.events import BusEvents
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.contract import (
    EVENT_SOURCE,
    RecordDeploymentRequest,
    RecordDeploymentResponse,
)
from lambdas.inference.record_deployment.adapters import DynamoServingModels
from lambdas.inference.record_deployment.logic import record_deployment

LOGGER = JsonLogger("record_deployment")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str
    ledger_table: str
    event_bus: str


@cache
def _wiring() -> partial[RecordDeploymentResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    records = DynamoModelRecords(dynamodb, settings.model_table, settings.use_case)
    return partial(
        record_deployment,
        use_case=settings.use_case,
        models=DynamoServingModels(records, settings.use_case),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
        events=BusEvents(boto3.client("events"), settings.event_bus, EVENT_SOURCE),
        clock=utc_now,
    )


def lambda_handler(event: RecordDeploymentRequest, _context: object) -> RecordDeploymentResponse:
    """Record that a version serves from now on."""
    response = _wiring()(event)
    LOGGER.info("deployment recorded", execution_arn=event["execution_arn"], **response)
    return response
