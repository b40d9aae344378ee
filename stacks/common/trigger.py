"""The one way to start a state machine by an event: retried for a day, then kept in a queue."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.findings import acknowledge

MAX_EVENT_AGE = Duration.days(1)
RETRY_ATTEMPTS = 185


class UndeliveredEvents(sqs.Queue):
    """Where events of one rule are kept that could not be delivered for a day."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(self, {"AwsSolutions-SQS3": "It is the dead-letter queue of its event rule."})


class WorkflowTrigger(Construct):
    """A rule on the default bus whose events start executions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        pattern: events.EventPattern | None = None,
        schedule: str | None = None,
        machine: sfn.IStateMachine,
        machine_input: events.RuleTargetInput | None = None,
    ) -> None:
        """Make the rule: by a ``pattern`` of events, or by a ``schedule``, a cron expression."""
        super().__init__(scope, construct_id)
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
        target = targets.SfnStateMachine(
            machine,
            input=machine_input,
            role=role,
            dead_letter_queue=UndeliveredEvents(self, "Undelivered"),
            max_event_age=MAX_EVENT_AGE,
            retry_attempts=RETRY_ATTEMPTS,
        )
        events.Rule(
            self,
            "Rule",
            description=description,
            event_pattern=pattern,
            schedule=events.Schedule.expression(schedule) if schedule else None,
            targets=[target],
        )
