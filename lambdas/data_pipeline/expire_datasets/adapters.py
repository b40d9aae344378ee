"""Dataset versions and who rests on them in DynamoDB, their files in S3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.claims import CLAIMED
from lambdas.common.errors import DocumentedError
from lambdas.common.items import Item, from_item, to_attribute, to_item
from lambdas.common.model_records import model_partition, training_partition
from lambdas.data_pipeline.contract import EXPIRED, EXPIRING
from lambdas.data_pipeline.expire_datasets.logic import Version
from lambdas.data_pipeline.tables import LATEST, dataset_partition
from pipeline_code.data_pipeline.contract import (
    ANALYTICS_PREFIX,
    DATASETS_PREFIX,
    MANIFEST_NAME,
)

_STATE = {"#state": "state"}


class DeletionFailedError(DocumentedError):
    """S3 did not delete {key}: {code}: {message}. The next call goes on."""


class DynamoDatasets:
    """The items of dataset versions in the Metadata table."""

    def __init__(self, client: Any, table: str, use_case: str) -> None:
        self._client = client
        self._table = table
        self._partition = dataset_partition(use_case)

    def versions(self) -> Sequence[Version]:
        """Read those that have not expired, the newest first."""
        found = [
            Version(item["dataset_id"], item["published_at"], item.get("state", ""))
            for item in query(self._client, self._table, self._partition)
            if item["sk"] != LATEST and item.get("state") != EXPIRED
        ]
        return sorted(found, key=lambda each: each.published_at, reverse=True)

    def mark(self, version: Version) -> bool:
        """Note that a version expires; tell whether it was still as given."""
        return self._update(
            version,
            update="SET #state = :state",
            condition=(
                "published_at = :published AND (attribute_not_exists(#state) OR #state = :state)"
            ),
            values={":state": EXPIRING, ":published": version.published_at},
        )

    def unmark(self, version: Version) -> None:
        """Take the note back."""
        self._update(
            version,
            update="REMOVE #state",
            condition="#state = :state",
            values={":state": EXPIRING},
        )

    def finish(self, version: Version, at: str) -> None:
        """Note that a version has expired."""
        self._update(
            version,
            update="SET #state = :expired, expired_at = :at",
            condition="#state = :state",
            values={":state": EXPIRING, ":expired": EXPIRED, ":at": at},
        )

    def _update(
        self, version: Version, *, update: str, condition: str, values: dict[str, str]
    ) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item({"pk": self._partition, "sk": version.dataset_id}),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames=_STATE,
                ExpressionAttributeValues=to_item(values),
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return False
        return True


class DynamoUsers:
    """The latest version's readers, trainings under way, and registered models."""

    def __init__(self, client: Any, *, use_case: str, metadata: str, models: str) -> None:
        self._client = client
        self._use_case = use_case
        self._metadata = metadata
        self._models = models

    def need(self, dataset_id: str) -> str:
        """Say who needs a version, consistently; empty if nobody does.

        Trainings are read before models: one that ends in between has registered its model.
        """
        reasons = (self._as_latest, self._in_training, self._in_models)
        return next((reason for each in reasons if (reason := each(dataset_id))), "")

    def _as_latest(self, dataset_id: str) -> str:
        key = {"pk": dataset_partition(self._use_case), "sk": LATEST}
        item = self._client.get_item(
            TableName=self._metadata, Key=to_item(key), ConsistentRead=True
        ).get("Item")
        latest = from_item(item)["dataset_id"] if item else ""
        return "It is the latest version." if latest == dataset_id else ""

    def _in_training(self, dataset_id: str) -> str:
        for claim in query(self._client, self._models, training_partition(self._use_case)):
            if claim.get("state") == CLAIMED and claim.get("dataset_id") == dataset_id:
                return f"Training {claim['sk']} is under way."
        return ""

    def _in_models(self, dataset_id: str) -> str:
        for record in query(self._client, self._models, model_partition(self._use_case)):
            if record.get("dataset_id") == dataset_id and "version" in record:
                return f"Model version {record['version']} rests on it."
        return ""


class S3Files:
    """The objects of dataset versions and of what was made of them for people."""

    def __init__(self, client: Any, *, model_input: str, analytics: str) -> None:
        self._client = client
        self._model_input = model_input
        self._analytics = analytics

    def delete(self, dataset_id: str) -> None:
        """Delete a version: its manifest first, so that no reader finds a part of it."""
        folder = f"{DATASETS_PREFIX}{dataset_id}/"
        self._client.delete_object(Bucket=self._model_input, Key=f"{folder}{MANIFEST_NAME}")
        self._delete(self._model_input, folder)
        for table in self._analytics_tables():
            self._delete(self._analytics, f"{table}dataset={dataset_id}/")

    def _analytics_tables(self) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._analytics, Prefix=ANALYTICS_PREFIX, Delimiter="/"
        )
        return [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]

    def _delete(self, bucket: str, prefix: str) -> None:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if not keys:
                continue
            answer = self._client.delete_objects(Bucket=bucket, Delete={"Objects": keys})
            for failed in answer.get("Errors", []):
                raise DeletionFailedError(
                    key=failed["Key"], code=failed["Code"], message=failed.get("Message")
                )


def query(client: Any, table: str, partition: str) -> Iterator[Item]:
    """Read all items of a partition, consistently."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": to_attribute(partition)},
        ConsistentRead=True,
    )
    for page in pages:
        for item in page["Items"]:
            yield from_item(item)
