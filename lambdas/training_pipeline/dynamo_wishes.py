"""Wishes for trainings in the model table."""

from __future__ import annotations

from typing import Any, cast

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.items import from_item, to_attribute, to_item
from lambdas.common.model_records import training_partition
from lambdas.training_pipeline.leases import Wish

_KEY = "WISH"


class DynamoWishes:
    """One item: the last wish."""

    def __init__(self, client: Any, table: str, use_case: str) -> None:
        self._client = client
        self._table = table
        self._key = {"pk": training_partition(use_case), "sk": _KEY}

    def remember(self, wish: Wish) -> None:
        """Keep a wish, instead of any other."""
        item = to_item({**self._key, **wish, "state": "waiting"})
        self._client.put_item(TableName=self._table, Item=item)

    def remembered(self) -> Wish | None:
        """Give the wish that was kept last."""
        stored = self._client.get_item(
            TableName=self._table, Key=to_item(self._key), ConsistentRead=True
        ).get("Item")
        item = from_item(stored) if stored else {}
        if item.get("state") != "waiting":
            return None
        return cast(Wish, {name: item[name] for name in Wish.__annotations__})

    def forget(self, wish: Wish) -> None:
        """Drop a wish, unless another one took its place."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item({**self._key, **wish, "state": "granted"}),
                ConditionExpression="#reason = :reason AND #by = :by AND #dataset = :dataset",
                ExpressionAttributeNames={
                    "#reason": "reason",
                    "#by": "requested_by",
                    "#dataset": "dataset_id",
                },
                ExpressionAttributeValues={
                    ":reason": to_attribute(wish["reason"]),
                    ":by": to_attribute(wish["requested_by"]),
                    ":dataset": to_attribute(wish["dataset_id"]),
                },
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
