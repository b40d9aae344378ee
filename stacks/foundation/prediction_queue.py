"""Where predictions wait for their log: nothing is lost while its stores are slow or down."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.common.findings import acknowledge

LOGGING_SECONDS = 120
"""What the function that reads the queue may take for a batch."""
_KEPT = Duration.days(14)
_RECEIVES = 100
"""With the pauses between them, about a day; then a person has to look."""


class PredictionQueue(Construct):
    """A queue, and another for messages that were tried in vain for a day."""

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self.undelivered = self._queue("Undelivered", key, removal_policy)
        acknowledge(
            self.undelivered, {"AwsSolutions-SQS3": "It is the dead-letter queue of the other one."}
        )
        self.queue = self._queue(
            "Queue",
            key,
            removal_policy,
            dead_letters=sqs.DeadLetterQueue(queue=self.undelivered, max_receive_count=_RECEIVES),
        )

    def _queue(
        self,
        construct_id: str,
        key: kms.IKey,
        removal_policy: RemovalPolicy,
        dead_letters: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            construct_id,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=Duration.hours(1),
            enforce_ssl=True,
            retention_period=_KEPT,
            # Six times the function's limit, as Lambda asks.
            visibility_timeout=Duration.seconds(6 * LOGGING_SECONDS),
            dead_letter_queue=dead_letters,
            removal_policy=removal_policy,
        )
