"""The steps that watch a new version beside the one before, and tell the alarm what they think."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.inference.contract import AlarmRaisedError
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items
from stacks.common.task import Task, function_task
from stacks.foundation.step_props import StepProps
from stacks.inference.deployment_alarms import DeploymentAlarms

_SETTLING_ATTEMPTS = 12
"""An alarm of the deployment before is over within its period and a little."""


class CanaryJudgementStep(BlockFunction):
    """Compares what both versions have answered since the traffic began to move."""

    def __init__(
        self, scope: Construct, construct_id: str, *, props: StepProps, alarms: DeploymentAlarms
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="judge_canary",
            settings=props.settings,
            log_days=props.log_days,
        )
        grant_items(props.tables.evidence, self.role, "GetItem")
        alarms.grant_look(self.role)
        alarms.grant_tell(self.role)

    def first_look(self, workflow_role: iam.Role) -> Task:
        """Note what was counted before there is any traffic, under `$.judge`."""
        task = self._look("Begin to watch", workflow_role, {})
        return task.retried_on(
            AlarmRaisedError.__name__,
            seconds=5,
            attempts=_SETTLING_ATTEMPTS,
            rate=1.2,
            longest_seconds=15,
        )

    def state(self, workflow_role: iam.Role) -> Task:
        """Look again, and leave the verdict under `$.judge`."""
        return self._look("Judge canary", workflow_role, {"state.$": "$.judge.state"})

    def _look(self, state_name: str, workflow_role: iam.Role, known: Mapping[str, object]) -> Task:
        return function_task(
            self,
            state_name,
            function=self,
            workflow_role=workflow_role,
            payload={
                "execution_arn.$": "$$.Execution.Id",
                "version.$": "$.plan.version",
                "champion.$": "$.plan.champion",
                "endpoint_name.$": "$.plan.endpoint_name",
                **known,
            },
            result_path="$.judge",
        )
