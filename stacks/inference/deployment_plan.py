"""The step that names what a deployment creates."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps
from stacks.inference.endpoint import ModelEndpoint


class DeploymentPlanStep(BlockFunction):
    """Reads the model's record and asks SageMaker what already exists."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
        endpoint: ModelEndpoint,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="plan_deployment",
            settings=props.settings,
            log_days=props.log_days,
        )
        grant_items(props.tables.models, self.role, "GetItem")
        endpoint.grant_describe(self.role)

    def state(self, workflow_role: iam.Role) -> Task:
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
