"""Dataset versions and models in DynamoDB, configurations in S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from lambdas.common.documents import Documents
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.items import from_item, to_item
from lambdas.common.uris import s3_uri
from lambdas.training_pipeline.contract import TRAINING_CONFIG_PREFIX
from lambdas.training_pipeline.plan_training.logic import Champion, DatasetVersion


class DynamoDatasets:
    """Dataset versions as the data pipeline published them."""

    def __init__(self, client: Any, table: str, use_case: str) -> None:
        self._client = client
        self._table = table
        self._partition = f"DATASET#{use_case}"

    def find(self, dataset_id: str | None) -> DatasetVersion | None:
        """Find a version; without an id, the latest."""
        item = self._client.get_item(
            TableName=self._table,
            Key=to_item({"pk": self._partition, "sk": dataset_id or "LATEST"}),
            ConsistentRead=True,
        ).get("Item")
        return cast(DatasetVersion, from_item(item)) if item else None


class S3ConfigStore:
    """The published configuration, and one immutable copy of each that was used."""

    def __init__(self, documents: Documents, current_uri: str, bucket: str) -> None:
        self._documents = documents
        self._current_uri = current_uri
        self._bucket = bucket

    def current(self) -> Mapping[str, Any]:
        """Read the configuration that is published with the stack."""
        return cast(Mapping[str, Any], self._documents.read(self._current_uri))

    def keep(self, digest: str, config: Mapping[str, Any]) -> None:
        """Keep a configuration under its digest; the same content gives the same bytes."""
        self._documents.write(
            s3_uri(self._bucket, f"{TRAINING_CONFIG_PREFIX}{digest}.json"), config
        )


class DynamoModels:
    """The model repository's view of what serves."""

    def __init__(self, records: DynamoModelRecords) -> None:
        self._records = records

    def champion(self) -> Champion | None:
        """Find the model version that serves."""
        serving = self._records.serving()
        record = self._records.version(serving["version"]) if serving else None
        if record is None:
            return None
        return {"version": record["version"], "artefact_uri": record["artefact_uri"]}

    def state(self, version: int) -> str | None:
        """Give a version's state."""
        record = self._records.version(version)
        return record["state"] if record else None
