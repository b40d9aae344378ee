"""Idempotency keys in DynamoDB: taken by a conditional write, deleted by DynamoDB after a day."""

from __future__ import annotations

import os
import time
import zlib
from typing import Any, cast

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.idempotency import Attempt, Once
from lambdas.common.items import from_item, to_attribute, to_item

_MINE = "#holder = :holder"
_NAMES = {"#holder": "holder"}


class DynamoAttempts:
    """One item a key; an answer is kept compressed, so that any fits into an item."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def begin(self, attempt: Attempt, now: int) -> Attempt | None:
        """Take a key; give what is known of it where somebody has it."""
        while True:
            if self._take(attempt, now):
                return None
            found = self._client.get_item(
                TableName=self._table, Key=_key(attempt), ConsistentRead=True
            ).get("Item")
            if found:
                return _attempt(from_item(found))

    def _take(self, attempt: Attempt, now: int) -> bool:
        free = "attribute_not_exists(request_key) OR expires_at <= :now"
        abandoned = "(attribute_not_exists(answer) AND locked_until <= :now)"
        item = {name: value for name, value in attempt.items() if name != "answer"}
        return self._written(
            self._client.put_item,
            Item=to_item(item),
            ConditionExpression=f"{free} OR {abandoned}",
            ExpressionAttributeValues={":now": to_attribute(now)},
        )

    def finish(self, attempt: Attempt) -> None:
        """Keep the answer that it holds, if the key is still this holder's."""
        self._written(
            self._client.update_item,
            Key=_key(attempt),
            UpdateExpression="SET answer = :answer",
            ConditionExpression=_MINE,
            ExpressionAttributeNames=_NAMES,
            ExpressionAttributeValues={
                ":holder": to_attribute(attempt["holder"]),
                ":answer": {"B": zlib.compress(attempt["answer"].encode())},
            },
        )

    def abandon(self, attempt: Attempt) -> None:
        """Give the key back, if it is still this holder's."""
        self._written(
            self._client.delete_item,
            Key=_key(attempt),
            ConditionExpression=_MINE,
            ExpressionAttributeNames=_NAMES,
            ExpressionAttributeValues={":holder": to_attribute(attempt["holder"])},
        )

    def _written(self, write: Any, **request: Any) -> bool:
        try:
            write(TableName=self._table, **request)
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return False
        return True


def once(client: Any, table: str) -> Once:
    """Give what answers a request once a key, by this machine's clock."""
    return Once(
        DynamoAttempts(client, table), lambda: int(time.time()), lambda: os.urandom(8).hex()
    )


def _attempt(item: dict[str, Any]) -> Attempt:
    packed = item.get("answer")
    answer = zlib.decompress(bytes(packed)).decode() if packed else ""
    return cast(Attempt, {**item, "answer": answer})


def _key(attempt: Attempt) -> dict[str, Any]:
    return to_item({"request_key": attempt["request_key"]})
