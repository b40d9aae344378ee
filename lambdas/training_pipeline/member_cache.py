"""Where members' artefacts lie, by the digest of all that they were made of."""

from __future__ import annotations

from typing import Any

from lambdas.common.items import from_item, to_item


class DynamoMemberCache:
    """One item a digest in the model table; what is written last counts, for all are equal."""

    def __init__(self, client: Any, table: str, use_case: str) -> None:
        self._client = client
        self._table = table
        self._partition = f"MEMBER#{use_case}"

    def get(self, cache_key: str) -> str | None:
        """Give the artefact of these inputs."""
        stored = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": self._partition, "sk": cache_key})
        ).get("Item")
        return str(from_item(stored)["artefact_uri"]) if stored else None

    def put(self, cache_key: str, artefact_uri: str) -> None:
        """Remember the artefact of these inputs."""
        item = {"pk": self._partition, "sk": cache_key, "artefact_uri": artefact_uri}
        self._client.put_item(TableName=self._table, Item=to_item(item))
