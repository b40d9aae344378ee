"""Lambda of the step "Plan deployment"."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial

import boto3

from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.contract import PlanDeploymentRequest, PlanDeploymentResponse
from lambdas.inference.plan_deployment.adapters import SageMakerHosting
from lambdas.inference.plan_deployment.logic import DeploymentSetup, plan_deployment

LOGGER = JsonLogger("plan_deployment")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    endpoint_name: str
    model_table: str
    serving_variant: str = ""
    resource_prefix: str = ""


@cache
def _wiring() -> partial[PlanDeploymentResponse]:
    settings = read_settings(Settings, os.environ)
    setup = DeploymentSetup(
        settings.use_case,
        settings.endpoint_name,
        settings.serving_variant,
        settings.resource_prefix or settings.endpoint_name,
    )
    dynamodb = boto3.client("dynamodb")
    return partial(
        plan_deployment,
        setup=setup,
        models=DynamoModelRecords(dynamodb, settings.model_table, settings.use_case),
        hosting=SageMakerHosting(boto3.client("sagemaker")),
    )


def lambda_handler(event: PlanDeploymentRequest, _context: object) -> PlanDeploymentResponse:
    """Plan a deployment."""
    response = _wiring()(event)
    LOGGER.info("deployment planned", execution_arn=event["execution_arn"], **response)
    return response
