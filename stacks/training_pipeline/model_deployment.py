"""The step that has the inference block deploy the registered version, and waits for it."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.findings import imported_text
from stacks.common.grants import grant_on, grant_sync_rule
from stacks.common.task import Task, service_resource

_MARGIN_SECONDS = 300

_ERRORS = (
    "StepFunctions.ExecutionLimitExceededException",
    "StepFunctions.ThrottlingException",
)
"""No execution was started; after any other error one may run already."""


class ModelDeploymentStep(Construct):
    """Starts the deployment workflow; when that fails, the training's execution fails too."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: sfn.StateMachine,
        timeout_seconds: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        self.timeout_seconds = timeout_seconds + _MARGIN_SECONDS

    def state(self, workflow_role: iam.Role) -> Task:
        """Deploy `$.model.version`."""
        self._grant(workflow_role)
        return Task(
            self,
            "Deploy model",
            resource=service_resource("states:startExecution.sync:2"),
            parameters={
                "StateMachineArn": self._deployment.state_machine_arn,
                "Input": {
                    "version.$": "$.model.version",
                    "reason.$": "$.reason",
                    "requested_by.$": "$.requested_by",
                    "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id",
                },
            },
            timeout_seconds=self.timeout_seconds,
            transient_errors=_ERRORS,
            result={
                "ResultSelector": {"execution_arn.$": "$.ExecutionArn"},
                "ResultPath": "$.deployment",
            },
        )

    def _grant(self, workflow_role: iam.Role) -> None:
        name = self._deployment.state_machine_name
        self._deployment.grant_start_execution(workflow_role)
        grant_on(
            workflow_role,
            "states:DescribeExecution",
            "states:StopExecution",
            resources=[self._executions(name)],
            wildcard_reason="Executions of one state machine, each named when it starts.",
            written_as=[self._executions(imported_text(Stack.of(self._deployment), name))],
        )
        grant_sync_rule(workflow_role, "StepFunctionsGetEventsForStepFunctionsExecutionRule")

    def _executions(self, machine_name: str) -> str:
        return Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
