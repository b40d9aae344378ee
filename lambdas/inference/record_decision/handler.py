"""Lambda of the step "Record decision"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.documents import S3Documents
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.contract import RecordDecisionRequest, RecordDecisionResponse
from lambdas.inference.decision_store import AwsDecisionStore
from lambdas.inference.decisions import keep_decision

LOGGER = JsonLogger("record_decision")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    decision_table: str
    analytics_bucket: str


@cache
def _wiring() -> tuple[S3Documents, AwsDecisionStore]:
    settings = read_settings(Settings, os.environ)
    s3 = boto3.client("s3")
    store = AwsDecisionStore(
        boto3.client("dynamodb"), s3, settings.decision_table, settings.analytics_bucket
    )
    return S3Documents(s3), store


def lambda_handler(event: RecordDecisionRequest, _context: object) -> RecordDecisionResponse:
    """Keep a decision; a repeated call finds it kept."""
    documents, store = _wiring()
    record = keep_decision(documents.read(event["answer_uri"]), store, utc_now).record
    response: RecordDecisionResponse = {
        "decision_id": record["decision_id"],
        "status": record["status"],
        "net": record["net"],
        "document_uri": record["document_uri"],
    }
    LOGGER.info("decision recorded", **response)
    return response
