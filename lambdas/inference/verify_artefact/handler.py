"""Lambda of the step "Verify artefact"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.kms_signatures import KmsSignatures
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.contract import VerifyArtefactRequest, VerifyArtefactResponse
from lambdas.inference.verify_artefact.adapters import S3Files
from lambdas.inference.verify_artefact.logic import verify_artefact

LOGGER = JsonLogger("verify_artefact")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str
    ledger_table: str
    signing_key: str


@cache
def _wiring() -> partial[VerifyArtefactResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return partial(
        verify_artefact,
        key=settings.signing_key,
        models=DynamoModelRecords(dynamodb, settings.model_table, settings.use_case),
        files=S3Files(boto3.client("s3")),
        verifier=KmsSignatures(boto3.client("kms"), settings.signing_key),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
    )


def lambda_handler(event: VerifyArtefactRequest, _context: object) -> VerifyArtefactResponse:
    """Verify a model's seal before anything of it is served."""
    response = _wiring()(event)
    LOGGER.info("artefact verified", execution_arn=event["execution_arn"], **response)
    return response
