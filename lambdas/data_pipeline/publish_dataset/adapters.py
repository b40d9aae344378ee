"""Run reports in S3, dataset versions in DynamoDB."""

from __future__ import annotations

from typing import Any, cast

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.backoff import Pause, pause
from lambdas.common.claims import Claim
from lambdas.common.documents import Documents
from lambdas.common.dynamo_claims import DynamoClaims
from lambdas.common.errors import DocumentedError, DocumentNotFoundError
from lambdas.common.items import Item, from_item, to_attribute, to_item
from lambdas.common.uris import parent, s3_uri, split_uri
from lambdas.data_pipeline.contract import EXPIRED
from lambdas.data_pipeline.publish_dataset.logic import DatasetRecord
from lambdas.data_pipeline.tables import LATEST, arrival_key, dataset_partition
from pipeline_code.data_pipeline.contract import RUNS_PREFIX, DatasetManifest, RunReport

REPORT_NAME = "report.json"
ATTEMPTS = 10
UNCONTESTED = "None"
SUPERSEDED = "ConditionalCheckFailed"


class DatasetExpiringError(DocumentedError):
    """Dataset {dataset_id} was made anew while its old files expire; run the batch again."""


class PointerBusyError(DocumentedError):
    """The latest dataset could not be set to {dataset_id} in {attempts} attempts; try again."""


class S3RunReports:
    """Reports beside the datasets, in the model input store."""

    def __init__(self, documents: Documents, bucket: str) -> None:
        self._documents = documents
        self._bucket = bucket

    def read(self, run_id: str) -> RunReport:
        """Read a run's report."""
        return cast(
            RunReport, self._documents.read(self.address(f"{RUNS_PREFIX}{run_id}/{REPORT_NAME}"))
        )

    def address(self, key: str) -> str:
        """Give the address of an object that a report names by key."""
        return s3_uri(self._bucket, key)


class DynamoCatalogue:
    """Dataset versions and the pointer to the latest, beside the claims."""

    def __init__(
        self,
        client: Any,
        table: str,
        use_case: str,
        claims: DynamoClaims,
        files: S3DatasetFiles,
        pause: Pause = pause,
    ) -> None:
        self._client = client
        self._table = table
        self._use_case = use_case
        self._files = files
        self._pause = pause
        self._partition = dataset_partition(use_case)
        self._claims = claims

    def publish(self, record: DatasetRecord, claim: Claim, *, replacing: Claim) -> bool:
        """Record a version, end the claim and make the version the latest; tell success.

        A version that was recorded before, by another run of the same content, stays as it is. A
        version of files that have been superseded by newer ones does not become the latest.
        """
        self._record(record)
        unmarked = self._unmarked(record)
        ending = self._claims.put_request(claim, replacing)
        pointing = self._pointing(record, claim)
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(attempt)
            lost = self._write_all(ending, pointing, unmarked)
            if not lost:
                return True
            if lost[0] != UNCONTESTED:
                return False
            if lost[1] == SUPERSEDED:
                return self._claims.put(claim, replacing=replacing)
        raise PointerBusyError(dataset_id=record["dataset_id"], attempts=ATTEMPTS)

    def is_latest(self, dataset_id: str) -> bool:
        """Tell whether a version is the latest."""
        latest = self._read({"pk": self._partition, "sk": LATEST})
        return latest is not None and latest["dataset_id"] == dataset_id

    def _write_all(self, ending: Item, pointing: Item, unmarked: Item) -> list[str]:
        """End the claim and move the pointer, all or nothing; give why each of them failed."""
        try:
            self._client.transact_write_items(
                TransactItems=[{"Put": ending}, {"Put": pointing}, {"ConditionCheck": unmarked}]
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
            reasons = error.response["CancellationReasons"]
            *lost, marked = [str(reason.get("Code") or UNCONTESTED) for reason in reasons]
            if marked == SUPERSEDED:
                raise DatasetExpiringError(dataset_id=unmarked["Key"]["sk"]["S"]) from error
            return lost
        return []

    def _pointing(self, record: DatasetRecord, claim: Claim) -> Item:
        """Give the write of the pointer; it fails where newer files were published already."""
        as_of = str(claim.facts["as_of"])
        arrival = self._read(arrival_key(self._use_case))
        if arrival is not None and arrival["batch_id"] == claim.subject:
            # The very files of this batch have landed again since it was claimed.
            as_of = max(as_of, str(arrival["as_of"]))
        pointer = {name: record[name] for name in ("dataset_id", "manifest_uri", "published_at")}
        return {
            "TableName": self._table,
            "Item": to_item({"pk": self._partition, "sk": LATEST, **pointer, "as_of": as_of}),
            "ConditionExpression": "attribute_not_exists(as_of) OR as_of <= :as_of",
            "ExpressionAttributeValues": {":as_of": to_attribute(as_of)},
        }

    def _read(self, key: Item) -> Item | None:
        stored = self._client.get_item(
            TableName=self._table, Key=to_item(key), ConsistentRead=True
        ).get("Item")
        return from_item(stored) if stored else None

    def _unmarked(self, record: DatasetRecord) -> Item:
        """Give the check that a version is not marked to expire."""
        return {
            "TableName": self._table,
            "Key": to_item({"pk": self._partition, "sk": record["dataset_id"]}),
            "ConditionExpression": "attribute_not_exists(#state)",
            "ExpressionAttributeNames": {"#state": "state"},
        }

    def _record(self, record: DatasetRecord) -> None:
        """Record a version once; one that had expired exists again if all of its files do."""
        item = {"pk": self._partition, "sk": record["dataset_id"], **record}
        known = self._read({"pk": self._partition, "sk": record["dataset_id"]}) or {}
        if known.get("state") == EXPIRED and not self._files.are_complete(record["manifest_uri"]):
            raise DatasetExpiringError(dataset_id=record["dataset_id"])
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(pk) OR #state = :expired",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":expired": to_attribute(EXPIRED)},
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise


class S3DatasetFiles:
    """The files of dataset versions."""

    def __init__(self, client: Any, documents: Documents) -> None:
        self._client = client
        self._documents = documents

    def are_complete(self, manifest_uri: str) -> bool:
        """Tell whether every file that a manifest lists is there."""
        try:
            manifest = cast(DatasetManifest, self._documents.read(manifest_uri))
        except DocumentNotFoundError:
            return False
        bucket, folder = split_uri(parent(manifest_uri))
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
        there = {item["Key"] for page in pages for item in page.get("Contents", [])}
        return all(f"{folder}{file['path']}" in there for file in manifest["files"])
