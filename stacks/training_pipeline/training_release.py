"""The step that gives a failed training's claim back, with the reason."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items, grant_put_events
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps


class TrainingReleaseStep(BlockFunction):
    """After it, the same inputs may be trained again."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="training_pipeline",
            name="release_training",
            settings=props.settings,
            log_days=props.log_days,
        )
        grant_items(props.tables.models, self.role, "GetItem", "PutItem")
        grant_append(props.tables.ledger, self.role)
        grant_put_events(self, self.role)

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave what became of the claim under `$.release`; the failure stays under `$.failure`."""
        return function_task(
            self,
            "Release training",
            function=self,
            workflow_role=workflow_role,
            payload={
                "training_id.$": "$.plan.training_id",
                "execution_arn.$": "$$.Execution.Id",
                "error.$": "$.failure.Error",
                "cause.$": "$.failure.Cause",
            },
            result_path="$.release",
        )
