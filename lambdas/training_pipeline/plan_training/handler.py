"""Lambda of the step "Plan training"."""

from __future__ import annotations

import json
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
from lambdas.training_pipeline.dynamo_configs import DynamoConfigs
from lambdas.training_pipeline.dynamo_wishes import DynamoWishes
from lambdas.training_pipeline.member_cache import DynamoMemberCache
from lambdas.training_pipeline.plan_training.adapters import (
    CachedArtefacts,
    DynamoDatasets,
    DynamoModels,
    S3ConfigStore,
)
from lambdas.training_pipeline.plan_training.logic import Stores, TrainingSetup, plan_training
from lambdas.training_pipeline.plan_training.member_plans import Sizes
from lambdas.training_pipeline.tables import training_claims

LOGGER = JsonLogger("plan_training")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    training_config_uri: str
    training_image_uri: str
    algorithm_images: str
    instance_type: str
    volume_gb: int
    job_timeout_seconds: int
    config_bucket: str
    model_bucket: str
    metadata_table: str
    model_table: str
    job_name_prefix: str
    training_threads: int


@cache
def _wiring() -> partial[PlanTrainingResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    table, use_case = settings.model_table, settings.use_case
    stores = Stores(
        datasets=DynamoDatasets(dynamodb, settings.metadata_table, use_case),
        configs=S3ConfigStore(
            S3Documents(s3),
            settings.training_config_uri,
            settings.config_bucket,
            DynamoConfigs(dynamodb, table, use_case),
        ),
        models=DynamoModels(DynamoModelRecords(dynamodb, table, use_case)),
        artefacts=CachedArtefacts(DynamoMemberCache(dynamodb, table, use_case), s3),
        claims=training_claims(dynamodb, table, use_case),
        executions=StepFunctionsExecutions(boto3.client("stepfunctions")),
        wishes=DynamoWishes(dynamodb, table, use_case),
    )
    return partial(plan_training, setup=_setup(settings), stores=stores)


def _setup(settings: Settings) -> TrainingSetup:
    return TrainingSetup(
        use_case=settings.use_case,
        image_uri=settings.training_image_uri,
        algorithm_images=json.loads(settings.algorithm_images),
        model_bucket=settings.model_bucket,
        job_name_prefix=settings.job_name_prefix,
        threads=settings.training_threads,
        sizes=Sizes(settings.instance_type, settings.volume_gb, settings.job_timeout_seconds),
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
