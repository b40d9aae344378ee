"""Stops the endpoint when nobody has asked it for some hours; where idle must cost nothing."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from lambdas.inference.contract import Setting
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_append, grant_on
from stacks.foundation.step_props import StepProps
from stacks.inference.endpoint import ModelEndpoint

_EVERY = Duration.hours(1)
_REQUEST = {"when": "idle", "requested_by": "schedule", "reason": "nobody asked it"}


class IdleStop(BlockFunction):
    """Looks every hour; models and configs stay, so that one deployment brings it back."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
        endpoint: ModelEndpoint,
        idle_hours: int,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="stop_idle_endpoint",
            settings={**props.settings, Setting.IDLE_HOURS: str(idle_hours)},
            log_days=props.log_days,
        )
        endpoint.grant_describe(self.role)
        endpoint.grant_delete(self.role)
        grant_on(
            self.role,
            "cloudwatch:GetMetricStatistics",
            resources=["*"],
            wildcard_reason="CloudWatch's metrics know no resources.",
        )
        grant_append(props.tables.ledger, self.role)
        events.Rule(
            self,
            "Rule",
            description="Look whether anybody asks the endpoint",
            schedule=events.Schedule.rate(_EVERY),
            targets=[
                targets.LambdaFunction(
                    self.function,
                    event=events.RuleTargetInput.from_object(_REQUEST),
                    retry_attempts=2,
                )
            ],
        )
