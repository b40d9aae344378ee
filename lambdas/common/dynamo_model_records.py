"""The model repository's items in DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.items import from_item, to_attribute, to_item
from lambdas.common.model_records import (
    SERVING,
    ModelRecord,
    ServingRecord,
    model_partition,
    version_key,
)
from lambdas.common.model_states import MAY_FOLLOW, ModelState


class DynamoModelRecords:
    """The model repository of one use case: its records, and changes of their states."""

    def __init__(self, client: Any, table: str, use_case: str) -> None:
        self.client = client
        self.table = table
        self.partition = model_partition(use_case)

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""
        return cast("ModelRecord | None", self.read(version_key(version)))

    def serving(self) -> ServingRecord | None:
        """Read what serves."""
        return cast("ServingRecord | None", self.read(SERVING))

    def change_state(self, version: int, wanted: ModelState) -> bool:
        """Change a version's state where the table of states allows it; tell success."""
        try:
            self.client.update_item(**self.state_change(version, wanted))
        except ClientError as error:
            if not is_lost_race(error):
                raise
            record = self.version(version)
            return record is not None and record["state"] == wanted
        return True

    def state_change(self, version: int, wanted: ModelState) -> dict[str, Any]:
        """Give the conditional write of a new state, alone or as a part of a transaction."""
        before: Sequence[ModelState] = MAY_FOLLOW[wanted]
        names = [f":before{number}" for number in range(len(before))]
        values = {name: to_attribute(state) for name, state in zip(names, before, strict=True)}
        return {
            "TableName": self.table,
            "Key": to_item(self.key(version_key(version))),
            "UpdateExpression": "SET #state = :wanted",
            "ConditionExpression": f"#state IN ({', '.join(names)})",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":wanted": to_attribute(wanted), **values},
        }

    def note(self, version: int, name: str, value: str) -> None:
        """Write one more attribute of a version that is registered."""
        self.client.update_item(
            TableName=self.table,
            Key=to_item(self.key(version_key(version))),
            UpdateExpression="SET #name = :value",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": to_attribute(value)},
        )

    def read(self, sort_key: str) -> dict[str, Any] | None:
        """Read one item, consistently, without its key."""
        stored = self.client.get_item(
            TableName=self.table, Key=to_item(self.key(sort_key)), ConsistentRead=True
        ).get("Item")
        if stored is None:
            return None
        return {k: v for k, v in from_item(stored).items() if k not in ("pk", "sk")}

    def key(self, sort_key: str) -> dict[str, str]:
        """Give an item's key."""
        return {"pk": self.partition, "sk": sort_key}
