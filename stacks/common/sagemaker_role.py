"""The role of a SageMaker job or endpoint: its image, its logs, its metrics; no data yet."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.grants import grant_on
from stacks.common.image import ModelImage

SERVICE = "sagemaker.amazonaws.com"


class SageMakerRole(iam.Role):
    """A role that only SageMaker takes; the block that makes it grants the data."""

    def __init__(
        self, scope: Construct, construct_id: str, *, image: ModelImage, log_groups: tuple[str, ...]
    ) -> None:
        super().__init__(scope, construct_id, assumed_by=iam.ServicePrincipal(SERVICE))
        image.grant_pull(self)
        grant_on(
            self,
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
            resources=[arn for name in log_groups for arn in self._log_arns(name)],
            wildcard_reason="Each job and each instance has a log stream of its own in the group.",
        )
        grant_on(
            self,
            "cloudwatch:PutMetricData",
            resources=["*"],
            wildcard_reason="cloudwatch:PutMetricData knows no resources; the namespace limits it.",
            conditions={
                "StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "AWS/SageMaker"]}
            },
        )

    def _log_arns(self, name: str) -> list[str]:
        """Name a log group, for its creation, and what is in it."""
        return [
            Stack.of(self).format_arn(
                service="logs",
                resource="log-group",
                resource_name=resource_name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for resource_name in (name, f"{name}:*")
        ]
