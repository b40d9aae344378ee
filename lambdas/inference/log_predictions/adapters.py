"""The log's stores: a table in DynamoDB, files in S3, and the queue before them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore import exceptions
from botocore.exceptions import ClientError

from lambdas.common.aws_errors import error_code, is_lost_race
from lambdas.common.backoff import Pause, pause
from lambdas.common.items import to_item
from lambdas.inference.contract import PREDICTION_ROWS_PREFIX
from lambdas.inference.log_predictions.logic import Message, StoreBusyError
from lambdas.inference.prediction_messages import BadMessageError, StoredPrediction

_BATCH = 25
"""Items that one ``BatchWriteItem`` takes."""
_ATTEMPTS = 4
_NEVER = {"ValidationException", "SerializationException"}
"""What is wrong with the message: its neighbours need not wait for it."""
UNREACHABLE = (ClientError, exceptions.ConnectionError, exceptions.HTTPClientError)
"""Whatever a store says or does not say: the message waits, and the function's log says why."""


class DynamoPredictionTable:
    """Predictions by their id, deleted by DynamoDB after ``expires_at``."""

    def __init__(self, client: Any, table: str, pause: Pause = pause) -> None:
        self._client = client
        self._table = table
        self._pause = pause

    def add(self, predictions: Sequence[StoredPrediction]) -> None:
        """Keep predictions that are new."""
        for start in range(0, len(predictions), _BATCH):
            puts = [{"PutRequest": {"Item": to_item(p)}} for p in predictions[start:][:_BATCH]]
            self._write(puts)

    def add_missing(self, predictions: Sequence[StoredPrediction]) -> None:
        """Keep those that are not there; one that is may have got its outcome meanwhile."""
        for prediction in predictions:
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=to_item(prediction),
                    ConditionExpression="attribute_not_exists(prediction_id)",
                )
            except UNREACHABLE as error:
                if not (isinstance(error, ClientError) and is_lost_race(error)):
                    raise _busy("table", error) from error

    def _write(self, puts: list[dict[str, Any]]) -> None:
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(attempt)
            try:
                answer = self._client.batch_write_item(RequestItems={self._table: puts})
            except UNREACHABLE as error:
                raise _busy("table", error) from error
            puts = answer.get("UnprocessedItems", {}).get(self._table, [])
            if not puts:
                return
        raise StoreBusyError(f"the table left {len(puts)} predictions unprocessed")


class S3PredictionRows:
    """Files of the analytics bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def write(self, day: str, name: str, rows: bytes) -> None:
        """Keep a file of a day."""
        key = f"{PREDICTION_ROWS_PREFIX}day={day}/{name}.json.gz"
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=rows)
        except UNREACHABLE as error:
            raise _busy("bucket", error) from error


class SqsWaiting:
    """The queue that the messages come from."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def retry(self, message: Message, seconds: int) -> None:
        """Bring a message again after some seconds."""
        self._client.change_message_visibility(
            QueueUrl=self._queue_url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
        )


def _busy(store: str, error: Exception) -> Exception:
    """Tell a store that takes nothing now from one that will never take this."""
    said = error_code(error) if isinstance(error, ClientError) else type(error).__name__
    kind = BadMessageError if said in _NEVER else StoreBusyError
    return kind(f"the {store} says {said}: {error}")
