"""Lambda of the step "Collect batch"."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.documents import S3Documents
from lambdas.common.dynamo_claims import DynamoClaims, StepFunctionsExecutions
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.data_pipeline.collect_batch.adapters import DynamoArrivals, S3RawLake
from lambdas.data_pipeline.collect_batch.completeness import SourceRules
from lambdas.data_pipeline.collect_batch.logic import collect_batch
from lambdas.data_pipeline.contract import CollectBatchRequest, CollectBatchResponse
from lambdas.data_pipeline.tables import batch_claims

LOGGER = JsonLogger("collect_batch")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    required_sources: list[str]
    raw_lake_bucket: str
    metadata_table: str
    code_version: str
    settle_seconds: int
    optional_sources: list[str] = field(default_factory=list)
    monthly_sources: list[str] = field(default_factory=list)


@cache
def _wiring() -> tuple[
    SourceRules, S3RawLake, DynamoArrivals, DynamoClaims, StepFunctionsExecutions
]:
    settings = read_settings(Settings, os.environ)
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    return (
        SourceRules(
            settings.required_sources,
            settings.optional_sources,
            settings.code_version,
            settings.settle_seconds,
            settings.monthly_sources,
        ),
        S3RawLake(s3, settings.raw_lake_bucket, S3Documents(s3)),
        DynamoArrivals(dynamodb, settings.metadata_table, settings.use_case),
        batch_claims(dynamodb, settings.metadata_table, settings.use_case),
        StepFunctionsExecutions(boto3.client("stepfunctions")),
    )


def lambda_handler(event: CollectBatchRequest, _context: object) -> CollectBatchResponse:
    """Collect what landed into a batch and claim it."""
    response = collect_batch(event, *_wiring(), utc_now())
    LOGGER.info("batch collected", execution_arn=event["execution_arn"], **response)
    return response
