"""The step that asks a person whether a candidate may be deployed, and waits for the answer."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_items, grant_put_events
from stacks.common.task import FUNCTION_ERRORS, Task, service_resource
from stacks.foundation.step_props import ModelStepProps


class ApprovalRequestStep(BlockFunction):
    """The answer comes back by the task's token; after the given hours there is none."""

    def __init__(
        self, scope: Construct, construct_id: str, *, props: ModelStepProps, hours: int
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="training_pipeline",
            name="ask_approval",
            settings=props.settings,
            log_days=props.log_days,
        )
        self.wait_seconds = hours * 3600
        grant_items(props.tables.models, self.role, "GetItem", "PutItem")
        grant_append(props.tables.ledger, self.role)
        grant_put_events(self, self.role)

    def state(self, workflow_role: iam.Role) -> Task:
        """Leave the decision under `$.approval`."""
        self.function.grant_invoke_latest_version(workflow_role)
        return Task(
            self,
            "Ask for approval",
            resource=service_resource("lambda:invoke.waitForTaskToken"),
            parameters={
                "FunctionName": self.function.function_arn,
                "Payload": {
                    "task_token.$": "$$.Task.Token",
                    "execution_arn.$": "$$.Execution.Id",
                    "version.$": "$.model.version",
                    "model_id.$": "$.model.model_id",
                    "requested_by.$": "$.requested_by",
                },
            },
            timeout_seconds=self.wait_seconds,
            transient_errors=FUNCTION_ERRORS,
            result={"ResultPath": "$.approval"},
        )
