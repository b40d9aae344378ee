"""The model repository's items in DynamoDB."""

from __future__ import annotations

from typing import Any, cast

from lambdas.common.items import from_item, to_item
from lambdas.common.model_records import (
    SERVING,
    ModelRecord,
    ServingRecord,
    model_partition,
    version_key,
)


class DynamoModelRecords:
    """Reads the model repository of one use case."""

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
