"""The step that names what a deployment creates."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.inference.contract import EndpointBusyError
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps
from stacks.inference.endpoint import ModelEndpoint

_BUSY_ATTEMPTS = 60
"""With pauses of up to a minute this waits for any change of an endpoint that ends at all."""


class DeploymentPlanStep(BlockFunction):
    """Takes the lease, reads the model's record and asks SageMaker what already exists."""

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
        grant_items(props.tables.models, self.role, "GetItem", "PutItem")
        endpoint.grant_describe(self.role)
        endpoint.grant_describe_parts(self.role)
        endpoint.grant_clear(self.role)

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave the plan under `$.plan`; an endpoint that still changes is waited for."""
        task = function_task(
            self,
            "Plan deployment",
            function=self,
            workflow_role=workflow_role,
            payload={
                "execution_arn.$": "$$.Execution.Id",
                "input.$": "$",
            },
            result_path="$.plan",
        )
        return task.retried_on(
            EndpointBusyError.__name__,
            seconds=2,
            attempts=_BUSY_ATTEMPTS,
            rate=1.5,
            longest_seconds=60,
        )
