"""The step that makes a decision, or its absence, the state of a candidate."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import ModelStepProps


class ApprovalRecordStep(BlockFunction):
    """Approved or rejected, by whom and why; nobody's answer rejects."""

    def __init__(self, scope: Construct, construct_id: str, *, props: ModelStepProps) -> None:
        super().__init__(
            scope,
            construct_id,
            block="training_pipeline",
            name="record_approval",
            settings=props.settings,
            log_days=props.log_days,
        )
        props.registry.grant_mirror(self.role, create=False)
        grant_items(props.tables.models, self.role, "GetItem", "UpdateItem")
        grant_append(props.tables.ledger, self.role)

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave version and state under `$.model`."""
        return function_task(
            self,
            "Record approval",
            function=self,
            workflow_role=workflow_role,
            payload={
                "execution_arn.$": "$$.Execution.Id",
                "version.$": "$.model.version",
                "decision.$": "$.approval.decision",
                "approver.$": "$.approval.approver",
                "reason.$": "$.approval.reason",
            },
            result_path="$.model",
        )
