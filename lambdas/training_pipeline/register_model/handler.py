"""Lambda of the step "Register model"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial
from typing import cast

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.documents import S3Documents
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.events import BusEvents
from lambdas.common.kms_signatures import KmsSignatures
from lambdas.common.observability import JsonLogger
from lambdas.common.sagemaker_packages import SageMakerPackages
from lambdas.common.settings import read_settings
from lambdas.training_pipeline.contract import (
    EVENT_SOURCE,
    Approval,
    RegisterModelRequest,
    RegisterModelResponse,
)
from lambdas.training_pipeline.register_model.adapters import (
    DynamoRegistry,
    S3Artefacts,
    S3Papers,
    S3Seals,
)
from lambdas.training_pipeline.register_model.card import UNKNOWN_COMMIT
from lambdas.training_pipeline.register_model.logic import ModelRepository, register_model
from lambdas.training_pipeline.tables import training_claims

LOGGER = JsonLogger("register_model")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_bucket: str
    config_bucket: str
    model_table: str
    ledger_table: str
    event_bus: str
    signing_key: str
    approval: str
    model_package_group: str = ""
    code_commit: str = UNKNOWN_COMMIT


@cache
def _wiring() -> partial[RegisterModelResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    claims = training_claims(dynamodb, settings.model_table, settings.use_case)
    records = DynamoModelRecords(dynamodb, settings.model_table, settings.use_case)
    documents = S3Documents(s3)
    signatures = KmsSignatures(boto3.client("kms"), settings.signing_key)
    repository = ModelRepository(
        artefacts=S3Artefacts(s3, settings.model_bucket),
        seals=S3Seals(s3, settings.model_bucket, settings.signing_key, signatures),
        registry=DynamoRegistry(records, claims),
        papers=S3Papers(documents, settings.model_bucket, settings.config_bucket),
        packages=SageMakerPackages(
            boto3.client("sagemaker"), settings.model_package_group, settings.use_case, records
        ),
        claims=claims,
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
        events=BusEvents(boto3.client("events"), settings.event_bus, EVENT_SOURCE),
        approval=cast(Approval, settings.approval),
        code_commit=settings.code_commit,
    )
    return partial(register_model, use_case=settings.use_case, repository=repository, clock=utc_now)


def lambda_handler(event: RegisterModelRequest, _context: object) -> RegisterModelResponse:
    """Register a judged model."""
    response = _wiring()(event)
    LOGGER.info("model registered", training_id=event["training_id"], **response)
    return response
