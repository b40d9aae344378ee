"""Schedules that pull the sources whose contract names an address."""

from __future__ import annotations

from urllib.parse import urlsplit

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.data_pipeline.contract import Setting
from pipeline_code.data_pipeline.contract import LANDING_PREFIX
from pipeline_code.source_contract import Pull
from pipeline_code.use_case import UseCase
from stacks.common.findings import acknowledge
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items, grant_on
from stacks.foundation.step_props import StepProps

LIMIT_BYTES = 400 * 1024 * 1024
"""What fits into a function's own disk; a larger source is landed by its owner."""
SERVER_SECONDS = 30
FUNCTION_SECONDS = 900


class SourcePulls(BlockFunction):
    """One function; a schedule a source, which tells it what to fetch and where from."""

    def __init__(
        self, scope: Construct, construct_id: str, *, use_case: UseCase, props: StepProps
    ) -> None:
        limits = {
            Setting.PULL_LIMIT_BYTES: str(LIMIT_BYTES),
            Setting.PULL_TIMEOUT_SECONDS: str(SERVER_SECONDS),
        }
        super().__init__(
            scope,
            construct_id,
            block="data_pipeline",
            name="pull_source",
            settings={**props.settings, **limits},
            log_days=props.log_days,
            timeout_seconds=FUNCTION_SECONDS,
            memory_mb=512,
        )
        grant_items(props.tables.metadata, self.role, "GetItem", "PutItem")
        undelivered = self._undelivered()
        schedules = Construct(self, "Schedules")
        for source in use_case.sources.values():
            if source.pull is not None:
                props.buckets.raw_lake.allow_write(self.role, f"{LANDING_PREFIX}{source.name}/")
                _grant_place(self.role, source.pull)
                self._schedule(schedules, source.name, source.pull, undelivered)

    def _undelivered(self) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(queue, {"AwsSolutions-SQS3": "It is the dead-letter queue of the schedules."})
        return queue

    def _schedule(self, scope: Construct, source: str, pull: Pull, undelivered: sqs.IQueue) -> None:
        """Make one source's schedule; the id is its name, which is literal in its contract."""
        target = targets.LambdaFunction(
            self.function,
            event=events.RuleTargetInput.from_object({"source": source, "uri": pull.uri}),
            dead_letter_queue=undelivered,
            max_event_age=Duration.hours(1),
            retry_attempts=3,
        )
        events.Rule(
            scope,
            source.replace("_", " ").title().replace(" ", ""),
            description=f"Pull the source {source}",
            schedule=events.Schedule.expression(pull.schedule),
            targets=[target],
        )


def add_source_pulls(
    scope: Construct, construct_id: str, *, use_case: UseCase, props: StepProps
) -> None:
    """Make the function and its schedules where a contract asks for any."""
    if any(source.pull for source in use_case.sources.values()):
        SourcePulls(scope, construct_id, use_case=use_case, props=props)


def _grant_place(role: iam.Role, pull: Pull) -> None:
    """Allow to list and read what an address in S3 stands for; the web asks for no grant."""
    parts = urlsplit(pull.uri)
    if parts.scheme != "s3":
        return
    bucket, prefix = f"arn:{Aws.PARTITION}:s3:::{parts.netloc}", parts.path.lstrip("/")
    grant_on(
        role,
        "s3:ListBucket",
        resources=[bucket],
        conditions={"StringLike": {"s3:prefix": [f"{prefix}*"]}},
    )
    grant_on(
        role,
        "s3:GetObject",
        resources=[f"{bucket}/{prefix}*"],
        wildcard_reason="The files that a source's owner puts under the prefix of its contract.",
    )
