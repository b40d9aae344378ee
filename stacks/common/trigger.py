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


class WorkflowTrigger(Construct):
    """A rule on the default bus whose events start executions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        pattern: events.EventPattern,
        machine: sfn.IStateMachine,
        machine_input: events.RuleTargetInput | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        undelivered = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(
            undelivered, {"AwsSolutions-SQS3": "It is the dead-letter queue of its event rule."}
        )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
        target = targets.SfnStateMachine(
            machine,
            input=machine_input,
            role=role,
            dead_letter_queue=undelivered,
            max_event_age=Duration.days(1),
            retry_attempts=185,
        )
        events.Rule(self, "Rule", description=description, event_pattern=pattern, targets=[target])
