"""The look-up table in DynamoDB: one pointer a table, swapped once all rows are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.backoff import Pause, pause
from lambdas.common.clock import Clock
from lambdas.common.errors import DocumentedError
from lambdas.common.items import from_item, to_attribute, to_item
from lambdas.data_pipeline.catalog_run.logic import LatestDataset
from lambdas.data_pipeline.tables import LATEST, dataset_partition
from pipeline_code.data_pipeline.contract import lookup_partition

CURRENT = "CURRENT"
VERSION = "VERSION#"
FORSAKEN_AFTER = timedelta(days=3)
"""A version that never served is given up once no job that writes it can still run."""
_BATCH = 25
_ATTEMPTS = 8


class LookupIncompleteError(DocumentedError):
    """Look-up {table} of dataset {dataset_id} has {found} of {expected} rows; run it again."""


class LookupBusyError(DocumentedError):
    """The look-up table {table} did not take deletions in {attempts} attempts; try again."""


class DynamoLookups:
    """Rows lie under table and version; the version before the current one is kept for readers."""

    def __init__(
        self,
        client: Any,
        *,
        use_case: str,
        table: str,
        metadata_table: str,
        clock: Clock,
        pause: Pause = pause,
    ) -> None:
        self._client = client
        self._use_case = use_case
        self._table = table
        self._metadata_table = metadata_table
        self._clock = clock
        self._pause = pause

    def latest(self) -> LatestDataset | None:
        """Read which dataset version is the latest."""
        item = self._get(self._metadata_table, dataset_partition(self._use_case), LATEST)
        return LatestDataset(item["dataset_id"], item["published_at"]) if item else None

    def point(self, table: str, rows: int, latest: LatestDataset) -> None:
        """Let look-ups in a table find the rows of a dataset version, unless a newer one does."""
        partition = lookup_partition(self._use_case, table, latest.dataset_id)
        found = sum(1 for _ in self._keys(partition))
        if found < rows:
            raise LookupIncompleteError(
                table=table, dataset_id=latest.dataset_id, found=found, expected=rows
            )
        kept = self._swap(f"{self._use_case}#{table}", latest)
        self._retire(table, kept)

    def _swap(self, of_table: str, latest: LatestDataset) -> Sequence[str]:
        """Write the pointer; give the versions that stay."""
        before = self._get(self._table, of_table, CURRENT) or {}
        previous = before.get("dataset_id", "")
        if previous == latest.dataset_id:
            previous = before.get("previous", "")
        pointer = {
            "pk": of_table,
            "sk": CURRENT,
            "dataset_id": latest.dataset_id,
            "published_at": latest.published_at,
            "previous": previous,
        }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(pointer),
                ConditionExpression="attribute_not_exists(pk) OR published_at <= :mine",
                ExpressionAttributeValues={":mine": to_attribute(latest.published_at)},
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return [previous, str(before.get("previous", "")), latest.dataset_id]
        self._mark_served(of_table, latest.dataset_id)
        return [latest.dataset_id, previous]

    def _mark_served(self, of_table: str, dataset_id: str) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=to_item({"pk": of_table, "sk": f"{VERSION}{dataset_id}"}),
            UpdateExpression="SET served = :yes, dataset_id = :dataset",
            ExpressionAttributeValues={
                ":yes": to_attribute(True),
                ":dataset": to_attribute(dataset_id),
            },
        )

    def _retire(self, table: str, kept: Sequence[str]) -> None:
        """Delete the rows of versions that no reader is sent to any more, their note last."""
        of_table = f"{self._use_case}#{table}"
        for version in self._items(of_table):
            dataset_id = version.get("dataset_id", "")
            is_note = version["sk"].startswith(VERSION)
            if is_note and dataset_id not in kept and self._is_over(version):
                partition = lookup_partition(self._use_case, table, dataset_id)
                self._delete(list(self._keys(partition)))
                self._delete([to_item({"pk": of_table, "sk": version["sk"]})])

    def _is_over(self, version: dict[str, Any]) -> bool:
        if version.get("served"):
            return True
        started = version.get("started_at")
        now = datetime.fromisoformat(self._clock())
        return bool(started) and now - datetime.fromisoformat(str(started)) > FORSAKEN_AFTER

    def _delete(self, keys: Sequence[dict[str, Any]]) -> None:
        for start in range(0, len(keys), _BATCH):
            wanted = [{"DeleteRequest": {"Key": key}} for key in keys[start : start + _BATCH]]
            for attempt in range(_ATTEMPTS):
                if attempt:
                    self._pause(attempt)
                answer = self._client.batch_write_item(RequestItems={self._table: wanted})
                wanted = answer.get("UnprocessedItems", {}).get(self._table, [])
                if not wanted:
                    break
            else:
                raise LookupBusyError(table=self._table, attempts=_ATTEMPTS)

    def _get(self, table: str, pk: str, sk: str) -> dict[str, Any] | None:
        item = self._client.get_item(
            TableName=table, Key=to_item({"pk": pk, "sk": sk}), ConsistentRead=True
        ).get("Item")
        return from_item(item) if item else None

    def _items(self, partition: str) -> list[dict[str, Any]]:
        return [from_item(item) for page in self._pages(partition) for item in page["Items"]]

    def _keys(self, partition: str) -> Iterator[dict[str, Any]]:
        for page in self._pages(partition):
            for item in page["Items"]:
                yield {"pk": item["pk"], "sk": item["sk"]}

    def _pages(self, partition: str) -> Any:
        return self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": to_attribute(partition)},
            ConsistentRead=True,
        )
