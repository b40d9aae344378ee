"""The steps that create a model and its config, move the endpoint to it, and look how far it is."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.inference.contract import PRODUCTION_VARIANT
from stacks.common.task import SAGEMAKER_ERRORS, Task, service_resource
from stacks.config.model import InferenceSettings
from stacks.inference.deployment_alarms import DeploymentAlarms
from stacks.inference.endpoint import ModelEndpoint

_CALL_SECONDS = 60


class EndpointSteps(Construct):
    """Calls of SageMaker with the names that `$.plan` holds."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: ModelEndpoint,
        alarms: DeploymentAlarms,
        settings: InferenceSettings,
        workflow_role: iam.Role,
    ) -> None:
        super().__init__(scope, construct_id)
        self._endpoint = endpoint
        self._settings = settings
        endpoint.grant_change(workflow_role)
        endpoint.grant_describe(workflow_role)
        alarms.grant_look(workflow_role)

    def create_model(self) -> Task:
        """Create the model that the plan names."""
        return self._call(
            "Create model",
            "sagemaker:createModel",
            {
                "ModelName.$": "$.plan.model_name",
                "ExecutionRoleArn": self._endpoint.role.role_arn,
                "EnableNetworkIsolation": True,
                "Containers.$": "$.plan.containers",
            },
        )

    def create_config(self) -> Task:
        """Create the endpoint config that the plan names."""
        variant = {
            "VariantName": PRODUCTION_VARIANT,
            "ModelName.$": "$.plan.model_name",
            "InstanceType": self._settings.instance_type,
            "InitialInstanceCount": self._settings.instance_count,
            "InitialVariantWeight": 1,
            "ContainerStartupHealthCheckTimeoutInSeconds": self._settings.startup_timeout_seconds,
        }
        return self._call(
            "Create endpoint config",
            "sagemaker:createEndpointConfig",
            {
                "EndpointConfigName.$": "$.plan.endpoint_config_name",
                "ProductionVariants": [variant],
            },
        )

    def create_trial(self) -> Task:
        """Create the trial endpoint, on which the version is asked before it gets any traffic."""
        return self._call(
            "Create trial endpoint",
            "sagemaker:createEndpoint",
            _to_config("$.plan.trial_endpoint_name"),
        )

    def create(self) -> Task:
        """Create the endpoint, which is there only after the first deployment."""
        return self._call(
            "Create endpoint", "sagemaker:createEndpoint", _to_config("$.plan.endpoint_name")
        )

    def update(self) -> Task:
        """Move the endpoint as the plan says; SageMaker moves it back when an alarm is raised."""
        return self._call(
            "Update endpoint",
            "sagemaker:updateEndpoint",
            {
                **_to_config("$.plan.endpoint_name"),
                "DeploymentConfig.$": "$.plan.deployment_config",
                **_keeping_what_was_scaled(self._settings),
            },
        )

    def describe_trial(self) -> Task:
        """Look at the trial endpoint."""
        return self._describe("Describe trial endpoint", "$.plan.trial_endpoint_name")

    def describe(self) -> Task:
        """Look at the endpoint; what it serves and how it is are under `$.endpoint`."""
        return self._describe("Describe endpoint", "$.plan.endpoint_name")

    def delete_trial(self) -> Task:
        """Delete the trial endpoint."""
        return self._call(
            "Delete trial endpoint",
            "aws-sdk:sagemaker:deleteEndpoint",
            {"EndpointName.$": "$.plan.trial_endpoint_name"},
        )

    def delete(self) -> Task:
        """Delete an endpoint that never came into service."""
        return self._call(
            "Delete failed endpoint",
            "aws-sdk:sagemaker:deleteEndpoint",
            {"EndpointName.$": "$.plan.endpoint_name"},
        )

    def pause(self, state_name: str) -> sfn.Wait:
        """Wait between two looks."""
        return sfn.Wait(
            self,
            state_name,
            time=sfn.WaitTime.duration(Duration.seconds(self._settings.poll_seconds)),
        )

    def _describe(self, state_name: str, endpoint_name: str) -> Task:
        return self._call(
            state_name,
            "aws-sdk:sagemaker:describeEndpoint",
            {"EndpointName.$": endpoint_name},
            result={
                "ResultSelector": {
                    "status.$": "$.EndpointStatus",
                    "config.$": "$.EndpointConfigName",
                    "described.$": "$",
                },
                "ResultPath": "$.endpoint",
            },
        )

    def _call(
        self,
        state_name: str,
        integration: str,
        parameters: Mapping[str, object],
        *,
        result: Mapping[str, object] | None = None,
    ) -> Task:
        return Task(
            self,
            state_name,
            resource=service_resource(integration),
            parameters=parameters,
            timeout_seconds=_CALL_SECONDS,
            transient_errors=SAGEMAKER_ERRORS,
            result=result or {"ResultPath": "$.answer"},
        )


def _to_config(endpoint_name: str) -> dict[str, object]:
    return {
        "EndpointName.$": endpoint_name,
        "EndpointConfigName.$": "$.plan.endpoint_config_name",
    }


def _keeping_what_was_scaled(settings: InferenceSettings) -> dict[str, object]:
    """Let the new fleet begin with as many instances as the load has called for."""
    if settings.max_instance_count is None:
        return {}
    return {
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [
            {"VariantPropertyType": "DesiredWeight"},
            {"VariantPropertyType": "DataCaptureConfig"},
        ],
    }
