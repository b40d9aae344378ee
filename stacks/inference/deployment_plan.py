"""The step that names what a deployment creates."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items, grant_on
from stacks.common.task import Task, function_task
from stacks.config.model import LogRetentionDays
from stacks.foundation.tables import Tables


class DeploymentPlanStep(BlockFunction):
    """Reads the model's record and asks SageMaker what already exists."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Mapping[str, str],
        tables: Tables,
        endpoint_name: str,
        name_prefix: str,
        log_days: LogRetentionDays,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="plan_deployment",
            settings=settings,
            log_days=log_days,
        )
        grant_items(tables.models, self.grantee, "GetItem", "Query")
        grant_append(tables.ledger, self.grantee)
        arn = Stack.of(self).format_arn
        grant_on(
            self.grantee,
            "sagemaker:DescribeModel",
            resources=[arn(service="sagemaker", resource="model", resource_name=f"{name_prefix}*")],
        )
        grant_on(
            self.grantee,
            "sagemaker:DescribeEndpointConfig",
            resources=[
                arn(
                    service="sagemaker",
                    resource="endpoint-config",
                    resource_name=f"{name_prefix}*",
                )
            ],
        )
        grant_on(
            self.grantee,
            "sagemaker:DescribeEndpoint",
            resources=[arn(service="sagemaker", resource="endpoint", resource_name=endpoint_name)],
        )

    def state(self, workflow_role: iam.IGrantable) -> Task:
        """Leave the plan under `$.plan`."""
        return function_task(
            self,
            "Plan deployment",
            function=self,
            workflow_role=workflow_role,
            payload={
                "execution_arn.$": "$$.Execution.Id",
                "version.$": "$.version",
                "reason.$": "$.reason",
                "requested_by.$": "$.requested_by",
            },
            result_path="$.plan",
        )
