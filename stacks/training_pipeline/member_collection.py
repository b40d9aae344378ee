"""The step that gathers the members' artefacts for the stacker."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps


class MemberCollectionStep(BlockFunction):
    """What was trained is remembered by its inputs, and not trained again."""

    def __init__(self, scope: Construct, construct_id: str, *, props: StepProps) -> None:
        super().__init__(
            scope,
            construct_id,
            block="training_pipeline",
            name="collect_members",
            settings=props.settings,
            log_days=props.log_days,
        )
        grant_items(props.tables.models, self.role, "GetItem", "PutItem")

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave the stacker's channels under `$.collected`."""
        return function_task(
            self,
            "Collect members",
            function=self,
            workflow_role=workflow_role,
            payload={
                "training_id.$": "$.plan.training_id",
                "execution_arn.$": "$$.Execution.Id",
                "dataset_uri.$": "$.plan.dataset_uri",
                "config_uri.$": "$.plan.config_uri",
                "prepares.$": "$.plan.prepares",
                "prepared_uri.$": "$.plan.prepared_uri",
                "members.$": "$.members",
            },
            result_path="$.collected",
        )
