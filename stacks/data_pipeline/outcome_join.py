"""The step that gives past predictions their outcome."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.data_pipeline.contract import Setting
from lambdas.inference.contract import AWAITING_OUTCOME
from pipeline_code.data_pipeline.contract import LABEL_INDEX_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items, grant_on
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps


class OutcomeJoinStep(BlockFunction):
    """Joins a bounded number of predictions a call; the workflow calls until all are joined."""

    def __init__(self, scope: Construct, construct_id: str, *, props: StepProps) -> None:
        buckets, tables = props.buckets, props.tables
        super().__init__(
            scope,
            construct_id,
            block="data_pipeline",
            name="join_outcomes",
            settings={
                Setting.ANALYTICS_BUCKET: buckets.analytics.bucket_name,
                Setting.PREDICTION_TABLE: tables.predictions.table_name,
            },
            log_days=props.log_days,
            timeout_seconds=300,
            memory_mb=1024,
        )
        buckets.analytics.allow_read(self.role, LABEL_INDEX_PREFIX)
        grant_items(tables.predictions, self.role, "UpdateItem")
        index = f"{tables.predictions.table_arn}/index/{AWAITING_OUTCOME}"
        grant_on(self.role, "dynamodb:Query", resources=[index])

    def state(self, workflow_role: iam.Role) -> Task:
        """Go on where `$.outcomes` says, and leave there where to go on next."""
        return function_task(
            self,
            "Join outcomes",
            function=self,
            workflow_role=workflow_role,
            payload={"cursor.$": "$.outcomes.cursor"},
            result_path="$.outcomes",
        )
