"""Lambda behind the queue of predictions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lambdas.common.observability import JsonLogger
from lambdas.common.settings import read_settings
from lambdas.inference.log_predictions.adapters import (
    DynamoPredictionTable,
    S3PredictionRows,
    SqsWaiting,
)
from lambdas.inference.log_predictions.logic import Message, Stores, log_messages

LOGGER = JsonLogger("log_predictions")
_IMPATIENT = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
"""A store that is slow is asked again later, by the queue."""
_RESERVED_SECONDS = 15
"""What is kept of the function's time, to write files and give messages back."""


@dataclass(frozen=True)
class Settings:
    """Environment of the function."""

    prediction_table: str
    analytics_bucket: str
    prediction_queue: str


@cache
def _stores() -> Stores:
    settings = read_settings(Settings, os.environ)
    return Stores(
        DynamoPredictionTable(
            boto3.client("dynamodb", config=_IMPATIENT), settings.prediction_table
        ),
        S3PredictionRows(boto3.client("s3", config=_IMPATIENT), settings.analytics_bucket),
        SqsWaiting(boto3.client("sqs"), settings.prediction_queue),
    )


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Keep a batch; messages that failed come again, the others are done."""
    messages = [
        Message(
            record["messageId"],
            record["receiptHandle"],
            int(record["attributes"]["ApproximateReceiveCount"]),
            record["body"],
        )
        for record in event["Records"]
    ]

    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000 - _RESERVED_SECONDS

    failures = log_messages(messages, _stores(), seconds_left)
    for failure in failures:
        LOGGER.warning(
            "predictions wait",
            message_id=failure.message.message_id,
            receives=failure.message.receives,
            reason=failure.reason,
        )
    LOGGER.info("predictions logged", messages=len(messages), waiting=len(failures))
    return {"batchItemFailures": [{"itemIdentifier": f.message.message_id} for f in failures]}
