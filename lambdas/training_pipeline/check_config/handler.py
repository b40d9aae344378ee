"""Lambda that EventBridge calls when a document arrives in the config store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.documents import S3Documents
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.events import BusEvents
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.training_pipeline.accepted_configs import ConfigOutcome
from lambdas.training_pipeline.check_config.adapters import S3ConfigDocuments, parse_yaml
from lambdas.training_pipeline.check_config.logic import ConfigDesk, check_config
from lambdas.training_pipeline.contract import EVENT_SOURCE, CheckConfigRequest
from lambdas.training_pipeline.dynamo_configs import DynamoConfigs

LOGGER = JsonLogger("check_config")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    config_bucket: str
    training_config_uri: str
    model_table: str
    ledger_table: str
    event_bus: str


@cache
def _settings() -> Settings:
    return read_settings(Settings, os.environ)


@cache
def _documents() -> S3ConfigDocuments:
    settings = _settings()
    documents = S3Documents(boto3.client("s3"))
    return S3ConfigDocuments(documents, settings.config_bucket, settings.training_config_uri)


@cache
def _desk() -> ConfigDesk:
    settings = _settings()
    dynamodb = boto3.client("dynamodb")
    return ConfigDesk(
        documents=_documents(),
        parse=parse_yaml,
        outcomes=DynamoConfigs(dynamodb, settings.model_table, settings.use_case),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
        events=BusEvents(boto3.client("events"), settings.event_bus, EVENT_SOURCE),
        clock=utc_now,
    )


def lambda_handler(event: dict[str, Any], _context: object) -> ConfigOutcome:
    """Check a training configuration that arrived."""
    arrived = event["detail"]["object"]
    request: CheckConfigRequest = {
        "key": arrived["key"],
        "version": arrived.get("version-id", arrived.get("etag", "")),
        "requested_by": _documents().requested_by(arrived["key"]) or EVENT_SOURCE,
    }
    outcome = check_config(request, _settings().use_case, _desk())
    LOGGER.info("configuration checked", **outcome)
    return outcome
