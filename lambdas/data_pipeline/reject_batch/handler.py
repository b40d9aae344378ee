"""Lambda of the step "Reject batch"."""

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
from lambdas.data_pipeline.contract import EVENT_SOURCE, RejectBatchRequest, RejectBatchResponse
from lambdas.data_pipeline.reject_batch.adapters import S3RunReports
from lambdas.data_pipeline.reject_batch.logic import reject_batch
from lambdas.data_pipeline.tables import batch_claims

LOGGER = JsonLogger("reject_batch")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_input_bucket: str
    metadata_table: str
    ledger_table: str
    event_bus: str


@cache
def _wiring() -> partial[RejectBatchResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return partial(
        reject_batch,
        use_case=settings.use_case,
        reports=S3RunReports(S3Documents(boto3.client("s3")), settings.model_input_bucket),
        claims=batch_claims(dynamodb, settings.metadata_table, settings.use_case),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
        events=BusEvents(boto3.client("events"), settings.event_bus, EVENT_SOURCE),
    )


def lambda_handler(event: RejectBatchRequest, _context: object) -> RejectBatchResponse:
    """Give a batch's claim back after a failed run."""
    response = _wiring()(event)
    LOGGER.warning("batch given back", execution_arn=event["execution_arn"], **response)
    return response
