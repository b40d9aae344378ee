"""The step that records which version serves from now on."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items, grant_put_events
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps


class DeploymentRecordStep(BlockFunction):
    """Points the model repository at the serving version, and announces `ModelDeployed`."""

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
            block="inference",
            name="record_deployment",
            settings=props.settings,
            log_days=props.log_days,
        )
        grant_items(
            props.tables.models, self.role, "GetItem", "PutItem", "UpdateItem", "ConditionCheckItem"
        )
        grant_append(props.tables.ledger, self.role)
        grant_put_events(self, self.role)

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave what serves now under `$.deployment`."""
        return function_task(
            self,
            "Record deployment",
            function=self,
            workflow_role=workflow_role,
            payload={
                "execution_arn.$": "$$.Execution.Id",
                "version.$": "$.plan.version",
                "endpoint_name.$": "$.plan.endpoint_name",
                "endpoint_config_name.$": "$.plan.endpoint_config_name",
                "kind.$": "$.plan.kind",
                "reason.$": "$.reason",
                "requested_by.$": "$.requested_by",
            },
            result_path="$.deployment",
        )
