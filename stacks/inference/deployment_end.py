"""The steps that end a deployment: what failed is undone, what serves no more is removed."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.inference.contract import EndpointBusyError, Setting
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps
from stacks.inference.endpoint import ModelEndpoint

_BUSY_ATTEMPTS = 120


class DeploymentEndStep(BlockFunction):
    """Waits until the endpoint is at rest; the lease goes last."""

    def __init__(
        self, scope: Construct, construct_id: str, *, props: StepProps, endpoint: ModelEndpoint
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="end_deployment",
            settings=props.settings,
            log_days=props.log_days,
        )
        grant_items(props.tables.models, self.role, "GetItem", "PutItem", "UpdateItem")
        grant_append(props.tables.ledger, self.role)
        endpoint.grant_describe(self.role)
        endpoint.grant_describe_parts(self.role)
        endpoint.grant_undo(self.role)
        if Setting.SCALING in props.settings:
            endpoint.grant_scale(self.role)

    def succeeded(self, workflow_role: iam.Role) -> Task:
        """Tidy up after a deployment that is recorded."""
        return self._end("End deployment", "succeeded", workflow_role)

    def failed(self, workflow_role: iam.Role) -> Task:
        """Undo a deployment that is not; its failure is under `$.failure`."""
        return self._end("Undo deployment", "failed", workflow_role)

    def _end(self, state_name: str, outcome: str, workflow_role: iam.Role) -> Task:
        task = function_task(
            self,
            state_name,
            function=self,
            workflow_role=workflow_role,
            payload={
                "execution_arn.$": "$$.Execution.Id",
                "outcome": outcome,
                "input.$": "$",
            },
            result_path="$.end",
        )
        return task.retried_on(
            EndpointBusyError.__name__,
            seconds=1,
            attempts=_BUSY_ATTEMPTS,
            rate=1.3,
            longest_seconds=30,
        )
