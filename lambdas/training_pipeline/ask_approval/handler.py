"""Lambda of the step "Ask for approval"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.events import BusEvents
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.training_pipeline.ask_approval.logic import ask_approval
from lambdas.training_pipeline.contract import (
    EVENT_SOURCE,
    AskApprovalRequest,
    AskApprovalResponse,
)
from lambdas.training_pipeline.dynamo_approvals import DynamoApprovals

LOGGER = JsonLogger("ask_approval")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str
    ledger_table: str
    event_bus: str
    approval_hours: int


@cache
def _wiring() -> partial[AskApprovalResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return partial(
        ask_approval,
        hours=settings.approval_hours,
        approvals=DynamoApprovals(dynamodb, settings.model_table, settings.use_case),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
        events=BusEvents(boto3.client("events"), settings.event_bus, EVENT_SOURCE),
        clock=utc_now,
    )


def lambda_handler(event: AskApprovalRequest, _context: object) -> AskApprovalResponse:
    """Ask a person whether a candidate may be deployed."""
    response = _wiring()(event)
    LOGGER.info("approval requested", execution_arn=event["execution_arn"], **response)
    return response
