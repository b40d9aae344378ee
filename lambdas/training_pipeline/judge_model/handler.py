"""Lambda of the step "Judge model"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.documents import S3Documents
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.training_pipeline.contract import JudgeModelRequest, JudgeModelResponse
from lambdas.training_pipeline.judge_model.adapters import DynamoServing, S3Reports
from lambdas.training_pipeline.judge_model.logic import judge_model
from lambdas.training_pipeline.tables import training_claims

LOGGER = JsonLogger("judge_model")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    config_bucket: str
    model_table: str


@cache
def _wiring() -> partial[JudgeModelResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    records = DynamoModelRecords(dynamodb, settings.model_table, settings.use_case)
    return partial(
        judge_model,
        claims=training_claims(dynamodb, settings.model_table, settings.use_case),
        reports=S3Reports(S3Documents(boto3.client("s3")), settings.config_bucket),
        serving=DynamoServing(records),
    )


def lambda_handler(event: JudgeModelRequest, _context: object) -> JudgeModelResponse:
    """Give the verdict on a challenger."""
    response = _wiring()(event)
    LOGGER.info("model judged", training_id=event["training_id"], **response)
    return response
