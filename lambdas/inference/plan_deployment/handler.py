"""Lambda of the step "Plan deployment"."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast

import boto3

from lambdas.common.dynamo_claims import DynamoClaims, StepFunctionsExecutions
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.contract import PlanDeploymentRequest, PlanDeploymentResponse
from lambdas.inference.deployment_lease import deployment_partition
from lambdas.inference.guardrails import Guardrails
from lambdas.inference.hosting import SageMakerHosting
from lambdas.inference.plan_deployment.logic import (
    ONE,
    DeploymentSetup,
    Lease,
    plan_deployment,
)

LOGGER = JsonLogger("plan_deployment")


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    use_case: str
    endpoint_name: str
    model_table: str
    serving_variant: str = ""
    resource_prefix: str = ""
    guardrails: str = ""
    serving_containers: str = ONE


@cache
def _wiring() -> partial[PlanDeploymentResponse]:
    settings = read_settings(Settings, os.environ)
    setup = DeploymentSetup(
        settings.use_case,
        settings.endpoint_name,
        settings.serving_variant,
        settings.resource_prefix or settings.endpoint_name,
        Guardrails.read(settings.guardrails),
        settings.serving_containers,
    )
    dynamodb = boto3.client("dynamodb")
    partition = deployment_partition(settings.use_case)
    return partial(
        plan_deployment,
        setup=setup,
        models=DynamoModelRecords(dynamodb, settings.model_table, settings.use_case),
        hosting=SageMakerHosting(boto3.client("sagemaker")),
        lease=Lease(
            DynamoClaims(dynamodb, settings.model_table, partition),
            StepFunctionsExecutions(boto3.client("stepfunctions")),
        ),
    )


def lambda_handler(event: Mapping[str, Any], _context: object) -> PlanDeploymentResponse:
    """Plan what the workflow was asked for."""
    request = {**event["input"], "execution_arn": event["execution_arn"]}
    response = _wiring()(cast(PlanDeploymentRequest, request))
    LOGGER.info("deployment planned", execution_arn=event["execution_arn"], **response)
    return response
