"""Lambda of the step "Record approval"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.observability import JsonLogger
from lambdas.common.sagemaker_packages import SageMakerPackages
from lambdas.common.settings import read_settings
from lambdas.training_pipeline.contract import RecordApprovalRequest, RecordApprovalResponse
from lambdas.training_pipeline.dynamo_approvals import DynamoApprovals
from lambdas.training_pipeline.record_approval.logic import record_approval

LOGGER = JsonLogger("record_approval")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str
    ledger_table: str
    model_package_group: str = ""


@cache
def _wiring() -> partial[RecordApprovalResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    records = DynamoModelRecords(dynamodb, settings.model_table, settings.use_case)
    return partial(
        record_approval,
        models=records,
        approvals=DynamoApprovals(dynamodb, settings.model_table, settings.use_case),
        packages=SageMakerPackages(
            boto3.client("sagemaker"), settings.model_package_group, settings.use_case, records
        ),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
    )


def lambda_handler(event: RecordApprovalRequest, _context: object) -> RecordApprovalResponse:
    """Make a decision the state of a candidate."""
    response = _wiring()(event)
    LOGGER.info("approval recorded", execution_arn=event["execution_arn"], **response)
    return response
