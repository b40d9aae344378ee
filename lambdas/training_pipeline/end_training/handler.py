"""Lambda of the step "End training"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.events import BusEvents
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.training_pipeline.contract import (
    EVENT_SOURCE,
    EndTrainingRequest,
    EndTrainingResponse,
)
from lambdas.training_pipeline.dynamo_wishes import DynamoWishes
from lambdas.training_pipeline.leases import end_lease
from lambdas.training_pipeline.tables import training_claims

LOGGER = JsonLogger("end_training")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str
    event_bus: str


@cache
def _wiring() -> partial[EndTrainingResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return partial(
        end_lease,
        claims=training_claims(dynamodb, settings.model_table, settings.use_case),
        wishes=DynamoWishes(dynamodb, settings.model_table, settings.use_case),
        events=BusEvents(boto3.client("events"), settings.event_bus, EVENT_SOURCE),
        use_case=settings.use_case,
    )


def lambda_handler(event: EndTrainingRequest, _context: object) -> EndTrainingResponse:
    """End the right to train, and ask for the training that waited."""
    response = _wiring()(execution_arn=event["execution_arn"])
    LOGGER.info("training ended", execution_arn=event["execution_arn"], **response)
    return response
