"""The prediction log in DynamoDB, by the entity whose outcome is awaited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.items import from_item, to_attribute, to_item
from lambdas.inference.contract import AWAITING_OUTCOME
from lambdas.inference.record_labels.logic import Label


class DynamoPredictions:
    """Predictions; those that wait for an outcome stand in a sparse index."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def awaiting(self, bucket: str, reference: str) -> Sequence[str]:
        """Find the ids of those that refer to an entity."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=AWAITING_OUTCOME,
            KeyConditionExpression=f"{AWAITING_OUTCOME} = :bucket AND entity_id = :entity",
            ExpressionAttributeValues={
                ":bucket": to_attribute(bucket),
                ":entity": to_attribute(reference),
            },
        )
        return [from_item(item)["prediction_id"] for page in pages for item in page["Items"]]

    def record(self, prediction_id: str, label: Label) -> bool:
        """Keep a prediction's outcome once; tell whether it was kept now."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item({"prediction_id": prediction_id}),
                UpdateExpression=(
                    "SET outcome_label = :label, outcome_known_at = :known "
                    f"REMOVE {AWAITING_OUTCOME}"
                ),
                ConditionExpression=f"attribute_exists({AWAITING_OUTCOME})",
                ExpressionAttributeValues={
                    ":label": to_attribute(label["label"]),
                    ":known": to_attribute(label["known_at"]),
                },
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return False
        return True
