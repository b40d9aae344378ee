"""Lambda of the step "Plan training"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.documents import S3Documents
from lambdas.common.dynamo_claims import StepFunctionsExecutions
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.training_pipeline.contract import PlanTrainingRequest, PlanTrainingResponse
from lambdas.training_pipeline.plan_training.adapters import (
    DynamoDatasets,
    DynamoModels,
    S3ConfigStore,
)
from lambdas.training_pipeline.plan_training.logic import TrainingSetup, plan_training
from lambdas.training_pipeline.tables import training_claims

LOGGER = JsonLogger("plan_training")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    training_config_uri: str
    training_image_uri: str
    config_bucket: str
    model_bucket: str
    metadata_table: str
    model_table: str
    job_name_prefix: str
    training_threads: int


@cache
def _wiring() -> partial[PlanTrainingResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    documents = S3Documents(boto3.client("s3"))
    records = DynamoModelRecords(dynamodb, settings.model_table, settings.use_case)
    return partial(
        plan_training,
        setup=TrainingSetup(
            settings.use_case,
            settings.training_image_uri,
            settings.model_bucket,
            settings.job_name_prefix,
            settings.training_threads,
        ),
        datasets=DynamoDatasets(dynamodb, settings.metadata_table, settings.use_case),
        configs=S3ConfigStore(documents, settings.training_config_uri, settings.config_bucket),
        models=DynamoModels(records),
        claims=training_claims(dynamodb, settings.model_table, settings.use_case),
        executions=StepFunctionsExecutions(boto3.client("stepfunctions")),
    )


def lambda_handler(event: PlanTrainingRequest, _context: object) -> PlanTrainingResponse:
    """Plan a training and claim it."""
    response = _wiring()(event)
    LOGGER.info(
        response["detail"],
        execution_arn=event["execution_arn"],
        status=response["status"],
        training_id=response["training_id"],
    )
    return response
