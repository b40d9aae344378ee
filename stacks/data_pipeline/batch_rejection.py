"""The step that records why a run failed and gives the batch back."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from pipeline_code.data_pipeline.contract import RUNS_PREFIX
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items, grant_put_events
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps


class BatchRejectionStep(BlockFunction):
    """Releases or rejects the claim, appends to the ledger and announces `DatasetRejected`."""

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
            name="reject_batch",
            settings=props.settings,
            log_days=props.log_days,
        )
        props.buckets.model_input.allow_read(self.role, RUNS_PREFIX)
        grant_items(props.tables.metadata, self.role, "GetItem", "PutItem")
        grant_append(props.tables.ledger, self.role)
        grant_put_events(self, self.role)

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave what became of the claim under `$.rejection`, beside `$.failure`."""
        return function_task(
            self,
            "Reject batch",
            function=self,
            workflow_role=workflow_role,
            payload={
                "batch_id.$": "$.batch.batch_id",
                "run_id.$": "$.batch.run_id",
                "execution_arn.$": "$$.Execution.Id",
                "error.$": "$.failure.Error",
                "cause.$": "$.failure.Cause",
            },
            result_path="$.rejection",
        )
