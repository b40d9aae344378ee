"""Lambda of the steps that end a deployment."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.clock import utc_now
from lambdas.common.dynamo_claims import DynamoClaims
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.contract import EndDeploymentRequest, EndDeploymentResponse
from lambdas.inference.deployment_lease import deployment_partition
from lambdas.inference.end_deployment.adapters import Limits, TargetTracking
from lambdas.inference.end_deployment.logic import end_deployment
from lambdas.inference.hosting import SageMakerHosting

LOGGER = JsonLogger("end_deployment")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str
    ledger_table: str
    scaling: str = ""


@cache
def _wiring() -> partial[EndDeploymentResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    partition = deployment_partition(settings.use_case)
    return partial(
        end_deployment,
        claims=DynamoClaims(dynamodb, settings.model_table, partition),
        models=DynamoModelRecords(dynamodb, settings.model_table, settings.use_case),
        hosting=SageMakerHosting(boto3.client("sagemaker")),
        ledger=DynamoLedger(dynamodb, settings.ledger_table, settings.use_case, utc_now),
        scaling=_scaling(settings.scaling),
    )


def _scaling(text: str) -> TargetTracking | None:
    if not text:
        return None
    return TargetTracking(boto3.client("application-autoscaling"), Limits(**json.loads(text)))


def lambda_handler(event: EndDeploymentRequest, _context: object) -> EndDeploymentResponse:
    """End a deployment."""
    response = _wiring()(event)
    LOGGER.info("deployment ended", execution_arn=event["execution_arn"], **response)
    return response
