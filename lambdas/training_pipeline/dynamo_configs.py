"""Configurations that arrived, in the model table."""

from __future__ import annotations

from typing import Any, cast

from lambdas.common.items import from_item, to_item
from lambdas.training_pipeline.accepted_configs import AcceptedConfig, ConfigOutcome

_CURRENT = "CURRENT"


class DynamoConfigs:
    """One item a document and one that points, in the model table."""

    def __init__(self, client: Any, table: str, use_case: str) -> None:
        self._client = client
        self._table = table
        self._partition = f"CONFIG#{use_case}"

    def current(self) -> AcceptedConfig | None:
        """Give the one that was accepted last."""
        stored = self._client.get_item(
            TableName=self._table, Key=to_item(self._key(_CURRENT)), ConsistentRead=True
        ).get("Item")
        return cast(AcceptedConfig, from_item(stored)) if stored else None

    def accept(self, accepted: AcceptedConfig) -> None:
        """Make a configuration the one that counts."""
        self._put(_CURRENT, dict(accepted))

    def note(self, outcome: ConfigOutcome) -> None:
        """Write what became of a document."""
        self._put(f"DOCUMENT#{outcome['key']}", dict(outcome))

    def _put(self, sort_key: str, values: dict[str, Any]) -> None:
        item = to_item({**self._key(sort_key), **values})
        self._client.put_item(TableName=self._table, Item=item)

    def _key(self, sort_key: str) -> dict[str, str]:
        return {"pk": self._partition, "sk": sort_key}
