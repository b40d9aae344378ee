"""The step that makes a finished dataset version known."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from pipeline_code.data_pipeline.contract import DATASETS_PREFIX, RUNS_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items, grant_put_events
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps


class DatasetPublicationStep(BlockFunction):
    """Records the version, appends to the ledger and announces `DatasetPublished`."""

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
            name="publish_dataset",
            settings=props.settings,
            log_days=props.log_days,
        )
        for prefix in (DATASETS_PREFIX, RUNS_PREFIX):
            props.buckets.model_input.allow_read(self.role, prefix)
        grant_items(props.tables.metadata, self.role, "GetItem", "PutItem", "ConditionCheckItem")
        grant_append(props.tables.ledger, self.role)
        grant_put_events(self, self.role)

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave the published version under `$.dataset`."""
        return function_task(
            self,
            "Publish dataset",
            function=self,
            workflow_role=workflow_role,
            payload={
                "batch_id.$": "$.batch.batch_id",
                "run_id.$": "$.batch.run_id",
                "execution_arn.$": "$$.Execution.Id",
            },
            result_path="$.dataset",
        )
