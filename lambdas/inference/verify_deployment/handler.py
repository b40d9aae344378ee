"""Lambda of the step "Verify deployment"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.documents import S3Documents
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.contract import VerifyDeploymentRequest, VerifyDeploymentResponse
from lambdas.inference.verify_deployment.adapters import S3GoldenRecords, SageMakerEndpoint
from lambdas.inference.verify_deployment.logic import verify_deployment

LOGGER = JsonLogger("verify_deployment")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    model_table: str


@cache
def _wiring() -> partial[VerifyDeploymentResponse]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb")
    return partial(
        verify_deployment,
        models=DynamoModelRecords(dynamodb, settings.model_table, settings.use_case),
        golden=S3GoldenRecords(S3Documents(boto3.client("s3"))),
        endpoint=SageMakerEndpoint(boto3.client("sagemaker-runtime")),
    )


def lambda_handler(event: VerifyDeploymentRequest, _context: object) -> VerifyDeploymentResponse:
    """Verify a deployment by its model's golden requests."""
    response = _wiring()(event)
    LOGGER.info("deployment verified", endpoint_name=event["endpoint_name"], **response)
    return response
