"""Lambda of the step "Join outcomes"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

import boto3

from lambdas.common.documents import S3Documents
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.data_pipeline.contract import JoinOutcomesRequest, JoinOutcomesResponse
from lambdas.data_pipeline.join_outcomes.adapters import DynamoPredictions, S3Outcomes
from lambdas.data_pipeline.join_outcomes.logic import join_outcomes

LOGGER = JsonLogger("join_outcomes")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    analytics_bucket: str
    prediction_table: str


@cache
def _wiring() -> tuple[DynamoPredictions, S3Outcomes]:
    settings = read_settings(Settings, os.environ)
    return (
        DynamoPredictions(boto3.client("dynamodb"), settings.prediction_table),
        S3Outcomes(S3Documents(boto3.client("s3")), settings.analytics_bucket),
    )


def lambda_handler(event: JoinOutcomesRequest, _context: object) -> JoinOutcomesResponse:
    """Give past predictions their outcome."""
    predictions, outcomes = _wiring()
    outcomes.forget()
    response = join_outcomes(event, predictions, outcomes)
    LOGGER.info("outcomes joined", examined=response["examined"], joined=response["joined"])
    return response
