"""The SageMaker endpoint: the role it serves with, and who may do what with it.

No endpoint stands in the template: the workflow creates and updates it, so that a model is
deployed without CloudFormation.
"""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.inference.contract import BATCH_PREFIX, trial_endpoint_name
from lambdas.training_pipeline.contract import MODELS_PREFIX
from stacks.common.grants import grant_on, grant_pass
from stacks.common.image import ModelImage
from stacks.common.sagemaker_role import SERVICE, SageMakerRole
from stacks.foundation.buckets import Buckets

_SCALING_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"
_NAMED_BY_CONTENT = "Names end in a digest of what they hold; the prefix is this environment's."


class ModelEndpoint(Construct):
    """One endpoint, named by the config; its models and configs are named by their content."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        name_prefix: str,
        buckets: Buckets,
        image: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._endpoint = self._arn("endpoint", endpoint_name)
        self._trial = self._arn("endpoint", trial_endpoint_name(endpoint_name))
        self._configs = self._arn("endpoint-config", f"{name_prefix}*")
        self._models = self._arn("model", f"{name_prefix}*")
        self.role = SageMakerRole(
            self,
            "Role",
            image=ModelImage(self, "Image", digest_uri=image),
            log_groups=(
                f"/aws/sagemaker/Endpoints/{endpoint_name}",
                f"/aws/sagemaker/Endpoints/{trial_endpoint_name(endpoint_name)}",
                "/aws/sagemaker/TransformJobs",
            ),
        )
        buckets.models.allow_read(self.role, MODELS_PREFIX)
        # Batch transform works as the role of the model: it reads files and writes answers.
        buckets.analytics.allow_read(self.role, BATCH_PREFIX)
        buckets.analytics.allow_write(self.role, BATCH_PREFIX)

    def grant_invoke(self, role: iam.Role) -> None:
        """Allow to ask the endpoint."""
        grant_on(role, "sagemaker:InvokeEndpoint", resources=[self._endpoint])

    def grant_try(self, role: iam.Role) -> None:
        """Allow to ask the trial endpoint."""
        grant_on(role, "sagemaker:InvokeEndpoint", resources=[self._trial])

    def grant_describe(self, role: iam.Role) -> None:
        """Allow to look at the endpoint."""
        grant_on(role, "sagemaker:DescribeEndpoint", resources=[self._endpoint, self._trial])

    def grant_describe_parts(self, role: iam.Role) -> None:
        """Allow to look at the models and configs of this environment."""
        grant_on(
            role,
            "sagemaker:DescribeEndpointConfig",
            resources=[self._configs],
            wildcard_reason=_NAMED_BY_CONTENT,
        )
        grant_on(
            role,
            "sagemaker:DescribeModel",
            resources=[self._models],
            wildcard_reason=_NAMED_BY_CONTENT,
        )

    def grant_undo(self, role: iam.Role) -> None:
        """Allow to move the endpoint back, and to remove what serves no more."""
        grant_on(
            role,
            "sagemaker:UpdateEndpoint",
            resources=[self._endpoint, self._configs],
            wildcard_reason=_NAMED_BY_CONTENT,
        )
        grant_on(role, "sagemaker:DeleteEndpoint", resources=[self._endpoint, self._trial])
        grant_on(
            role,
            "sagemaker:DeleteEndpointConfig",
            "sagemaker:DeleteModel",
            resources=[self._configs, self._models],
            wildcard_reason=_NAMED_BY_CONTENT,
        )

    def grant_delete(self, role: iam.Role) -> None:
        """Allow to delete the endpoint; its models and configs stay."""
        grant_on(role, "sagemaker:DeleteEndpoint", resources=[self._endpoint])

    def grant_scale(self, role: iam.Role) -> None:
        """Allow to let the endpoint scale; the service's own role then changes its instances."""
        grant_on(
            role,
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:PutScalingPolicy",
            resources=[self._any("application-autoscaling", "scalable-target")],
            wildcard_reason="Scalable targets get their names when they are registered.",
        )
        grant_on(role, "sagemaker:UpdateEndpointWeightsAndCapacities", resources=[self._endpoint])
        grant_on(
            role,
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:DeleteAlarms",
            resources=[
                self._any("cloudwatch", "alarm", "TargetTracking-*", ArnFormat.COLON_RESOURCE_NAME)
            ],
            wildcard_reason="Application Auto Scaling names the alarms of its policies.",
        )
        grant_on(
            role,
            "iam:CreateServiceLinkedRole",
            resources=[_scaling_role()],
            conditions={"StringLike": {"iam:AWSServiceName": _SCALING_SERVICE}},
        )

    def grant_clear(self, role: iam.Role) -> None:
        """Allow to remove the trial endpoint."""
        grant_on(role, "sagemaker:DeleteEndpoint", resources=[self._trial])

    def grant_change(self, role: iam.Role) -> None:
        """Allow to create models and configs of this environment, and to change the endpoint."""
        grant_on(
            role,
            "sagemaker:CreateModel",
            resources=[self._models],
            wildcard_reason=_NAMED_BY_CONTENT,
        )
        grant_on(
            role,
            "sagemaker:CreateEndpointConfig",
            resources=[self._configs, self._models],
            wildcard_reason=_NAMED_BY_CONTENT,
        )
        grant_on(
            role,
            "sagemaker:CreateEndpoint",
            "sagemaker:UpdateEndpoint",
            resources=[self._endpoint, self._trial, self._configs],
            wildcard_reason=_NAMED_BY_CONTENT,
        )
        grant_on(role, "sagemaker:DeleteEndpoint", resources=[self._endpoint, self._trial])
        grant_on(
            role,
            "sagemaker:AddTags",
            resources=[self._models, self._configs, self._endpoint, self._trial],
            wildcard_reason=_NAMED_BY_CONTENT,
        )
        grant_pass(role, self.role, service=SERVICE)

    def _any(
        self,
        service: str,
        kind: str,
        name: str = "*",
        arn_format: ArnFormat = ArnFormat.SLASH_RESOURCE_NAME,
    ) -> str:
        return Stack.of(self).format_arn(
            service=service, resource=kind, resource_name=name, arn_format=arn_format
        )

    def _arn(self, kind: str, name: str) -> str:
        # SageMaker's ARNs are lower case, whatever the name's case.
        return Stack.of(self).format_arn(
            service="sagemaker", resource=kind, resource_name=name.lower()
        )


def _scaling_role() -> str:
    name = f"{_SCALING_SERVICE}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    return f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/aws-service-role/{name}"
