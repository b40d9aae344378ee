"""Lambda of the step "Release training"."""

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
from lambdas.training_pipeline.contract import (
    EVENT_SOURCE,
    ReleaseTrainingRequest,
    ReleaseTrainingResponse,
)
from lambdas.training_pipeline.dynamo_wishes import DynamoWishes
from lambdas.training_pipeline.leases import end_lease
from lambdas.training_pipeline.release_training.logic import release_training
from lambdas.training_pipeline.tables import training_claims

LOGGER = JsonLogger("release_training")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str
    ledger_table: str
    event_bus: str


@cache
def _wiring() -> partial[ReleaseTrainingResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    claims = training_claims(dynamodb, settings.model_table, settings.use_case)
    return partial(
        release_training,
        claims=claims,
        end=partial(
            end_lease,
            claims,
            DynamoWishes(dynamodb, settings.model_table, settings.use_case),
            BusEvents(boto3.client("events"), settings.event_bus, EVENT_SOURCE),
            settings.use_case,
        ),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
    )


def lambda_handler(event: ReleaseTrainingRequest, _context: object) -> ReleaseTrainingResponse:
    """Give a training's claim back after a failed run."""
    response = _wiring()(event)
    LOGGER.warning("training given back", execution_arn=event["execution_arn"], **response)
    return response
