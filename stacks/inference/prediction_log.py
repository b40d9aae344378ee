"""The prediction log: a queue's reader that keeps predictions by id, and by day for analytics."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas.inference.contract import PREDICTION_ROWS_PREFIX, Setting
from stacks.common.function import BlockFunction
from stacks.common.grants import grant_items, grant_on
from stacks.foundation.prediction_queue import LOGGING_SECONDS, PredictionQueue
from stacks.foundation.step_props import StepProps

_BATCH = 500
"""Messages of one call at most; Lambda hands over 6 MB at most."""
_READERS = 4
"""Calls at the same time: after an outage the table is not flooded."""
_LATE = Duration.minutes(15)


class PredictionLog(BlockFunction):
    """Reads the queue; two alarms tell when it lags, and when a message was given up."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: StepProps,
        source: PredictionQueue,
        batch_seconds: int,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block="inference",
            name="log_predictions",
            settings={
                Setting.PREDICTION_TABLE: props.tables.predictions.table_name,
                Setting.ANALYTICS_BUCKET: props.buckets.analytics.bucket_name,
                Setting.PREDICTION_QUEUE: source.queue.queue_url,
            },
            log_days=props.log_days,
            timeout_seconds=LOGGING_SECONDS,
            memory_mb=512,
        )
        grant_items(props.tables.predictions, self.role, "BatchWriteItem", "PutItem")
        props.buckets.analytics.allow_write(self.role, PREDICTION_ROWS_PREFIX)
        self._read(source, batch_seconds)
        self._alarms(source)

    def _read(self, source: PredictionQueue, batch_seconds: int) -> None:
        grant_on(
            self.role,
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ChangeMessageVisibility",
            resources=[source.queue.queue_arn],
        )
        lambda_.EventSourceMapping(
            self,
            "Reading",
            target=self.function,
            event_source_arn=source.queue.queue_arn,
            batch_size=_BATCH,
            max_batching_window=Duration.seconds(batch_seconds),
            max_concurrency=_READERS,
            report_batch_item_failures=True,
        )

    def _alarms(self, source: PredictionQueue) -> None:
        source.queue.metric_approximate_age_of_oldest_message(
            period=Duration.minutes(1), statistic="Maximum"
        ).create_alarm(
            self,
            "Lag",
            alarm_description="Predictions wait for their log: its stores take nothing.",
            threshold=_LATE.to_seconds(),
            evaluation_periods=5,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        source.undelivered.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(1), statistic="Maximum"
        ).create_alarm(
            self,
            "GivenUp",
            alarm_description=(
                "Predictions were not logged for a day. Look at the function's log, then redrive "
                "the dead-letter queue: aws sqs start-message-move-task."
            ),
            threshold=0,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
