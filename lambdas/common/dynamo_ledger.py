"""The ledger in DynamoDB: a conditional write a record, safe under concurrent writers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.backoff import Pause, pause
from lambdas.common.clock import Clock
from lambdas.common.errors import DocumentedError
from lambdas.common.items import from_item, to_attribute, to_item
from lambdas.common.ledger import Entry, LedgerRecord, next_record

ATTEMPTS = 125
"""Each lost race means that another writer went ahead, so this many writers may collide at once."""


class LedgerBusyError(DocumentedError):
    """The ledger {chain} did not take the record {token} in {attempts} attempts; try again."""


class DynamoLedger:
    """One chain. Beside each record lies a marker under its token, written in one transaction."""

    def __init__(
        self, client: Any, table: str, chain: str, clock: Clock, pause: Pause = pause
    ) -> None:
        self._client = client
        self._table = table
        self._chain = chain
        self._clock = clock
        self._pause = pause

    def append(self, entry: Entry) -> LedgerRecord:
        """Record a state change once; a token that is there already gives its record."""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(attempt)
            recorded = self._find(entry["token"])
            if recorded:
                return recorded
            record = next_record(self._chain, self._head(), entry, self._clock())
            if self._write(record):
                return record
        raise LedgerBusyError(chain=self._chain, token=entry["token"], attempts=ATTEMPTS)

    def records(self) -> Iterator[LedgerRecord]:
        """Read the chain from its first record."""
        pages = self._client.get_paginator("query").paginate(**self._query())
        for page in pages:
            for item in page["Items"]:
                yield cast(LedgerRecord, from_item(item))

    def _find(self, token: str) -> LedgerRecord | None:
        marker = self._get(self._marker_chain(token), 0)
        return self._get(self._chain, marker["recorded_as"]) if marker else None

    def _get(self, chain: str, sequence: int) -> Any:
        item = self._client.get_item(
            TableName=self._table,
            Key=to_item({"chain": chain, "sequence": sequence}),
            ConsistentRead=True,
        ).get("Item")
        return from_item(item) if item else None

    def _head(self) -> Any:
        items = self._client.query(**self._query(), ScanIndexForward=False, Limit=1)["Items"]
        return from_item(items[0]) if items else None

    def _query(self) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "#chain = :chain",
            "ExpressionAttributeNames": {"#chain": "chain"},
            "ExpressionAttributeValues": {":chain": to_attribute(self._chain)},
            "ConsistentRead": True,
        }

    def _write(self, record: LedgerRecord) -> bool:
        marker = {
            "chain": self._marker_chain(record["token"]),
            "sequence": 0,
            "recorded_as": record["sequence"],
        }
        try:
            self._client.transact_write_items(
                TransactItems=[self._put(cast(dict[str, Any], record)), self._put(marker)]
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return False
        return True

    def _put(self, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": to_item(item),
                "ConditionExpression": "attribute_not_exists(#chain)",
                "ExpressionAttributeNames": {"#chain": "chain"},
            }
        }

    def _marker_chain(self, token: str) -> str:
        return f"{self._chain}#token#{token}"
