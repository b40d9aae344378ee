"""Rows of a small table as items of the look-up table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pipeline_code.data_pipeline.contract import lookup_partition

SEPARATOR = "/"
"""Between the values of a key; a look-up by the first of them is a look-up by a prefix."""


class LookupRows:
    """Writes rows in batches; unprocessed ones are written again by boto3."""

    def __init__(self, table_name: str, use_case: str, table: str, dataset_id: str) -> None:
        import boto3  # noqa: PLC0415 - a run on local folders needs no AWS

        self._table = boto3.resource("dynamodb").Table(table_name)
        self._of_table = f"{use_case}#{table}"
        self._dataset_id = dataset_id
        self._partition = lookup_partition(use_case, table, dataset_id)

    def announce(self) -> None:
        """Note that this version's rows are coming, so that they are found if it never serves."""
        started = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        key = {"pk": self._of_table, "sk": f"VERSION#{self._dataset_id}"}
        self._table.update_item(
            Key=key,
            UpdateExpression="SET started_at = :now, dataset_id = :dataset",
            ExpressionAttributeValues={":now": started, ":dataset": self._dataset_id},
        )

    def write(self, rows: Iterable[Mapping[str, Any]], key: Sequence[str]) -> None:
        """Write rows under their key; the same rows again change nothing."""
        with self._table.batch_writer(overwrite_by_pkeys=["pk", "sk"]) as batch:
            for row in rows:
                batch.put_item(Item={**self._key(row, key), **item_of(row)})

    def _key(self, row: Mapping[str, Any], key: Sequence[str]) -> dict[str, str]:
        return {"pk": self._partition, "sk": SEPARATOR.join(str(row[name]) for name in key)}


def item_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Spell a row's values as DynamoDB takes them; null is left out, a number stays exact."""
    return {
        name: Decimal(repr(value)) if isinstance(value, float) else value
        for name, value in row.items()
        if value is not None
    }
