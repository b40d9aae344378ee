"""The SageMaker endpoint: the role it serves with, and the steps that create and change it.

No endpoint stands in the template: the workflow creates and updates it, so that a model is deployed without CloudFormation.
"""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.grants import grant_on, grant_pass
from stacks.common.image import ModelImage
from stacks.common.sagemaker_role import SERVICE, SageMakerRole
from stacks.common.task import SAGEMAKER_ERRORS, Task, service_resource
from stacks.config.model import EnvironmentConfig
from stacks.foundation.buckets import Buckets

VARIANT = "AllTraffic"
_CALL_SECONDS = 60


class ModelEndpoint(Construct):
    """One endpoint, whose name the configuration gives; models and configs are named by their content."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        buckets: Buckets,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = config.inference
        self._prefix = config.resource_prefix
        self._endpoint_arn = self._arn("endpoint", config.endpoint_name)
        self.role = SageMakerRole(
            self,
            "Role",
            image=ModelImage(self, "Image"),
            log_groups=(f"/aws/sagemaker/Endpoints/{config.endpoint_name}",),
        )
        buckets.models.grant_read(self.role)

    def _arn(self, kind: str, name: str) -> str:
        # SageMaker's ARNs are lower case, whatever the name's case.
        return Stack.of(self).format_arn(
            service="sagemaker", resource=kind, resource_name=name.lower()
        )

    def grant_invoke(self, grantee: iam.IGrantable) -> None:
        """Allow to ask the endpoint."""
        grant_on(grantee, "sagemaker:InvokeEndpoint", resources=[self._endpoint_arn])

    def create_model_step(self, workflow_role: iam.IGrantable) -> Task:
        """Create the model that the plan names."""
        models = self._arn("model", f"{self._prefix}*")
        grant_on(workflow_role, "sagemaker:CreateModel", "sagemaker:AddTags", resources=[models])
        grant_pass(workflow_role, self.role, service=SERVICE)
        return self._call(
            "Create model",
            "createModel",
            {
                "ModelName.$": "$.plan.model_name",
                "ExecutionRoleArn": self.role.role_arn,
                "EnableNetworkIsolation": True,
                "PrimaryContainer": {
                    "Image.$": "$.plan.image_uri",
                    "ModelDataUrl.$": "$.plan.artefact_uri",
                    "Environment.$": "$.plan.environment",
                },
            },
        )

    def create_config_step(self, workflow_role: iam.IGrantable) -> Task:
        """Create the endpoint config that the plan names."""
        configs = self._arn("endpoint-config", f"{self._prefix}*")
        models = self._arn("model", f"{self._prefix}*")
        grant_on(
            workflow_role,
            "sagemaker:CreateEndpointConfig",
            "sagemaker:AddTags",
            resources=[configs, models],
        )
        variant = {
            "VariantName": VARIANT,
            "ModelName.$": "$.plan.model_name",
            "InstanceType": self._settings.instance_type,
            "InitialInstanceCount": self._settings.instance_count,
            "InitialVariantWeight": 1,
            "ContainerStartupHealthCheckTimeoutInSeconds": self._settings.startup_timeout_seconds,
        }
        return self._call(
            "Create endpoint config",
            "createEndpointConfig",
            {
                "EndpointConfigName.$": "$.plan.endpoint_config_name",
                "ProductionVariants": [variant],
            },
        )

    def create_step(self, workflow_role: iam.IGrantable) -> Task:
        """Create the endpoint, which is there only after the first deployment."""
        self._grant_change(workflow_role, "sagemaker:CreateEndpoint", "sagemaker:AddTags")
        return self._call("Create endpoint", "createEndpoint", _CHANGE)

    def update_step(self, workflow_role: iam.IGrantable) -> Task:
        """Move the endpoint to the new config; SageMaker keeps serving the old one until it is up."""
        self._grant_change(workflow_role, "sagemaker:UpdateEndpoint")
        return self._call("Update endpoint", "updateEndpoint", _CHANGE)

    def restore_step(self, workflow_role: iam.IGrantable) -> Task:
        """Move the endpoint back to the config that served before."""
        self._grant_change(workflow_role, "sagemaker:UpdateEndpoint")
        return self._call(
            "Restore previous config",
            "updateEndpoint",
            {
                "EndpointName.$": "$.plan.endpoint_name",
                "EndpointConfigName.$": "$.plan.previous_endpoint_config_name",
            },
            result={"ResultPath": "$.restored"},
        )

    def describe_step(self, workflow_role: iam.IGrantable) -> Task:
        """Look at the endpoint's status; the answer is under `$.endpoint`."""
        grant_on(workflow_role, "sagemaker:DescribeEndpoint", resources=[self._endpoint_arn])
        return self._call(
            "Describe endpoint",
            "aws-sdk:sagemaker:describeEndpoint",
            {"EndpointName.$": "$.plan.endpoint_name"},
            result={
                "ResultSelector": {
                    "status.$": "$.EndpointStatus",
                    "config.$": "$.EndpointConfigName",
                },
                "ResultPath": "$.endpoint",
            },
        )

    def pause(self) -> sfn.Wait:
        """Wait between two looks."""
        return sfn.Wait(
            self,
            "Wait for endpoint",
            time=sfn.WaitTime.duration(Duration.seconds(self._settings.poll_seconds)),
        )

    def _grant_change(self, workflow_role: iam.IGrantable, *actions: str) -> None:
        configs = self._arn("endpoint-config", f"{self._prefix}*")
        grant_on(workflow_role, *actions, resources=[self._endpoint_arn, configs])

    def _call(
        self,
        state_name: str,
        operation: str,
        parameters: dict[str, object],
        *,
        result: dict[str, object] | None = None,
    ) -> Task:
        integration = operation if ":" in operation else f"sagemaker:{operation}"
        return Task(
            self,
            state_name,
            resource=service_resource(integration),
            parameters=parameters,
            timeout_seconds=_CALL_SECONDS,
            transient_errors=SAGEMAKER_ERRORS,
            result=result or {"ResultPath": "$.created"},
        )


_CHANGE: dict[str, object] = {
    "EndpointName.$": "$.plan.endpoint_name",
    "EndpointConfigName.$": "$.plan.endpoint_config_name",
}
