"""Lambda of the step "Publish dataset"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.documents import S3Documents
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.events import BusEvents
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.data_pipeline.contract import (
    EVENT_SOURCE,
    PublishDatasetRequest,
    PublishDatasetResponse,
)
from lambdas.data_pipeline.publish_dataset.adapters import (
    DynamoCatalogue,
    S3DatasetFiles,
    S3RunReports,
)
from lambdas.data_pipeline.publish_dataset.logic import publish_dataset
from lambdas.data_pipeline.tables import batch_claims

LOGGER = JsonLogger("publish_dataset")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_input_bucket: str
    metadata_table: str
    ledger_table: str
    event_bus: str


@cache
def _wiring() -> partial[PublishDatasetResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    s3 = boto3.client("s3")
    documents = S3Documents(s3)
    claims = batch_claims(dynamodb, settings.metadata_table, settings.use_case)
    return partial(
        publish_dataset,
        use_case=settings.use_case,
        reports=S3RunReports(documents, settings.model_input_bucket),
        claims=claims,
        catalogue=DynamoCatalogue(
            dynamodb,
            settings.metadata_table,
            settings.use_case,
            claims,
            S3DatasetFiles(s3, documents),
        ),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
        events=BusEvents(boto3.client("events"), settings.event_bus, EVENT_SOURCE),
        clock=utc_now,
    )


def lambda_handler(event: PublishDatasetRequest, _context: object) -> PublishDatasetResponse:
    """Publish the dataset version that a run made."""
    response = _wiring()(event)
    LOGGER.info("dataset published", execution_arn=event["execution_arn"], **response)
    return response
