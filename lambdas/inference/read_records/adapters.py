"""Records in DynamoDB, datasets' provenance in S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from lambdas.common.documents import S3Documents
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.items import from_item, to_attribute, to_item
from lambdas.common.ledger import LedgerRecord
from lambdas.common.model_records import ModelRecord, version_key
from lambdas.inference.read_records.logic import PredictionOrigin

_FIRST_VERSION = 1


class DynamoModels:
    """The model repository of one use case."""

    def __init__(self, records: DynamoModelRecords) -> None:
        self._records = records

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""
        return self._records.version(version)

    def versions(self, before: int, limit: int) -> Sequence[ModelRecord]:
        """Read the versions with smaller numbers, newest first."""
        if before <= _FIRST_VERSION:
            return []
        items = self._records.client.query(
            TableName=self._records.table,
            KeyConditionExpression="pk = :partition AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":partition": to_attribute(self._records.partition),
                ":first": to_attribute(version_key(_FIRST_VERSION)),
                ":last": to_attribute(version_key(before - 1)),
            },
            ScanIndexForward=False,
            Limit=limit,
        )["Items"]
        return [cast(ModelRecord, from_item(item)) for item in items]


class DynamoPredictions:
    """The prediction log's look-up by id."""

    def __init__(self, client: Any, table: str, seconds: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._seconds = seconds

    def origin(self, prediction_id: str) -> PredictionOrigin | None:
        """Find where a prediction comes from, if it has not expired."""
        item = self._client.get_item(
            TableName=self._table, Key=to_item({"prediction_id": prediction_id})
        ).get("Item")
        stored = from_item(item) if item else None
        if stored is None or stored["expires_at"] <= self._seconds():
            return None
        return PredictionOrigin(
            stored["model_version"], stored["created_at"], stored["correlation_id"]
        )


class StoredDatasets:
    """Dataset versions: their records in DynamoDB, their manifests in S3."""

    def __init__(self, client: Any, table: str, use_case: str, documents: S3Documents) -> None:
        self._client = client
        self._table = table
        self._partition = f"DATASET#{use_case}"
        self._documents = documents

    def record(self, dataset_id: str) -> Mapping[str, Any] | None:
        """Read a version's record."""
        item = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": self._partition, "sk": dataset_id})
        ).get("Item")
        return from_item(item) if item else None

    def provenance(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Read what a version was made of; raises ``DocumentNotFoundError`` when it expired."""
        made: Mapping[str, Any] = self._documents.read(record["manifest_uri"])["provenance"]
        return made


class DynamoHistory:
    """One chain of the ledger, from its end."""

    def __init__(self, client: Any, table: str, chain: str) -> None:
        self._client = client
        self._table = table
        self._chain = chain

    def newest_first(self, event_type: str) -> Iterator[LedgerRecord]:
        """Read the records of a type."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#chain = :chain",
            FilterExpression="event_type = :type",
            ExpressionAttributeNames={"#chain": "chain"},
            ExpressionAttributeValues={
                ":chain": to_attribute(self._chain),
                ":type": to_attribute(event_type),
            },
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                yield cast(LedgerRecord, from_item(item))
