"""The step after which the next training may begin."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items, grant_put_events
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps


class TrainingEndStep(BlockFunction):
    """Gives the lease back and asks for the training that waited."""

    def __init__(self, scope: Construct, construct_id: str, *, props: StepProps) -> None:
        super().__init__(
            scope,
            construct_id,
            block="training_pipeline",
            name="end_training",
            settings=props.settings,
            log_days=props.log_days,
        )
        grant_items(props.tables.models, self.role, "GetItem", "PutItem")
        grant_put_events(self, self.role)

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave what was asked for meanwhile under `$.ended`."""
        return function_task(
            self,
            "End training",
            function=self,
            workflow_role=workflow_role,
            payload={
                "execution_arn.$": "$$.Execution.Id",
            },
            result_path="$.ended",
        )
