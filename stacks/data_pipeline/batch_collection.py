"""The step that decides whether a new batch is complete, and claims it for one execution."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from pipeline_code.data_pipeline.contract import BATCHES_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps


class BatchCollectionStep(BlockFunction):
    """Lists what has landed and names the batch by its content."""

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
            block="data_pipeline",
            name="collect_batch",
            settings=props.settings,
            log_days=props.log_days,
        )
        props.buckets.raw_lake.allow_list_versions(self.role)
        props.buckets.raw_lake.allow_write(self.role, BATCHES_PREFIX)
        grant_items(props.tables.metadata, self.role, "GetItem", "PutItem")

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave the batch, or why there is none, under `$.batch`."""
        return function_task(
            self,
            "Collect batch",
            function=self,
            workflow_role=workflow_role,
            payload={"execution_arn.$": "$$.Execution.Id", "force.$": "$.force"},
            result_path="$.batch",
        )
