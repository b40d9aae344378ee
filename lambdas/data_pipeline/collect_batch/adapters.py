"""The raw lake in S3, what is known of arrival in DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.documents import Documents
from lambdas.common.items import from_item, to_attribute, to_item
from lambdas.common.uris import s3_uri
from lambdas.data_pipeline.collect_batch.logic import Arrival, Landing
from lambdas.data_pipeline.tables import LATEST, arrival_key, dataset_partition
from pipeline_code.data_pipeline.contract import (
    BATCHES_PREFIX,
    LANDING_PREFIX,
    Batch,
    BatchObject,
)


class S3RawLake:
    """A versioned bucket; a file is ``landing/<source>/<file>``."""

    def __init__(self, client: Any, bucket: str, documents: Documents) -> None:
        self._client = client
        self._bucket = bucket
        self._documents = documents

    def landed(self) -> Landing:
        """List the current version of every file that landed."""
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=LANDING_PREFIX
        )
        objects: list[BatchObject] = []
        moments: list[str] = []
        for page in pages:
            versions = page.get("Versions", [])
            every = [*versions, *page.get("DeleteMarkers", [])]
            moments += [f"{each['LastModified']:%Y-%m-%dT%H:%M:%S.%f}" for each in every]
            objects += [_batch_object(each) for each in versions if _is_current_file(each)]
        # S3's times are whole seconds: within one, the number of versions tells later from earlier.
        return Landing(objects, f"{max(moments, default='')}#{len(moments):09d}")

    def write_batch(self, batch: Batch) -> str:
        """Write the list of a batch's objects; give its address."""
        uri = s3_uri(self._bucket, f"{BATCHES_PREFIX}{batch['batch_id']}.json")
        self._documents.write(uri, batch)
        return uri


class DynamoArrivals:
    """One item a use case, beside its datasets."""

    def __init__(self, client: Any, table: str, use_case: str) -> None:
        self._client = client
        self._table = table
        self._use_case = use_case

    def record(self, arrival: Arrival) -> None:
        """Keep what landed, unless something newer is kept already."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item({**arrival_key(self._use_case), **arrival}),
                ConditionExpression="attribute_not_exists(pk) OR as_of <= :as_of",
                ExpressionAttributeValues={":as_of": to_attribute(arrival["as_of"])},
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise

    def latest_dataset(self) -> str | None:
        """Give the id of the latest dataset version."""
        stored = self._client.get_item(
            TableName=self._table,
            Key=to_item({"pk": dataset_partition(self._use_case), "sk": LATEST}),
            ConsistentRead=True,
        ).get("Item")
        return str(from_item(stored)["dataset_id"]) if stored else None


def _is_current_file(version: Mapping[str, Any]) -> bool:
    return bool(version["IsLatest"]) and not version["Key"].endswith("/")


def _batch_object(version: Mapping[str, Any]) -> BatchObject:
    return {
        "source": version["Key"].removeprefix(LANDING_PREFIX).rpartition("/")[0].split("/")[0],
        "key": version["Key"],
        "version_id": version["VersionId"],
        "size_bytes": version["Size"],
        "etag": version["ETag"].strip('"'),
        "arrived_at": version["LastModified"].isoformat(),
    }
