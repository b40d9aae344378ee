"""Lambda that a schedule calls: lets go of old dataset versions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.data_pipeline.contract import ExpireDatasetsRequest, ExpireDatasetsResponse
from lambdas.data_pipeline.expire_datasets.adapters import DynamoDatasets, DynamoUsers, S3Files
from lambdas.data_pipeline.expire_datasets.glue import GluePartitions
from lambdas.data_pipeline.expire_datasets.logic import Policy, expire_datasets

LOGGER = JsonLogger("expire_datasets")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_input_bucket: str
    analytics_bucket: str
    metadata_table: str
    model_table: str
    ledger_table: str
    database_name: str
    keep_datasets: int
    keep_days: int


@cache
def _wiring() -> partial[ExpireDatasetsResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return partial(
        expire_datasets,
        policy=Policy(settings.keep_datasets, settings.keep_days),
        datasets=DynamoDatasets(dynamodb, settings.metadata_table, settings.use_case),
        users=DynamoUsers(
            dynamodb,
            use_case=settings.use_case,
            metadata=settings.metadata_table,
            models=settings.model_table,
        ),
        files=S3Files(
            boto3.client("s3"),
            model_input=settings.model_input_bucket,
            analytics=settings.analytics_bucket,
        ),
        catalog=GluePartitions(boto3.client("glue"), settings.database_name),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
        clock=utc_now,
    )


def lambda_handler(event: ExpireDatasetsRequest, _context: object) -> ExpireDatasetsResponse:
    """Let go of old dataset versions."""
    response = _wiring()(event)
    LOGGER.info("datasets looked through", **response)
    return response
