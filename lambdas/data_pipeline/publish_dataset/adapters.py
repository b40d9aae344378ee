"""Run reports in S3, dataset versions in DynamoDB."""

from __future__ import annotations

from typing import Any, cast

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.backoff import Pause, pause
from lambdas.common.claims import Claim
from lambdas.common.documents import Documents
from lambdas.common.dynamo_claims import DynamoClaims
from lambdas.common.errors import DocumentedError
from lambdas.common.items import Item, from_item, to_attribute, to_item
from lambdas.common.uris import s3_uri
from lambdas.data_pipeline.publish_dataset.logic import DatasetRecord
from lambdas.data_pipeline.tables import LATEST, arrival_key, dataset_partition
from pipeline_code.data_pipeline.contract import RUNS_PREFIX, RunReport

REPORT_NAME = "report.json"
ATTEMPTS = 10
UNCONTESTED = "None"
SUPERSEDED = "ConditionalCheckFailed"


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
        self, client: Any, table: str, use_case: str, claims: DynamoClaims, pause: Pause = pause
    ) -> None:
        self._client = client
        self._table = table
        self._use_case = use_case
        self._pause = pause
        self._partition = dataset_partition(use_case)
        self._claims = claims

    def publish(self, record: DatasetRecord, claim: Claim, *, replacing: Claim) -> bool:
        """Record a version, end the claim and make the version the latest; tell success.

        A version that was recorded before, by another run of the same content, stays as it is. A
        version of files that have been superseded by newer ones does not become the latest.
        """
        self._record(record)
        ending = self._claims.put_request(claim, replacing)
        pointing = self._pointing(record, claim)
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(attempt)
            lost = self._write_both(ending, pointing)
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

    def _write_both(self, ending: Item, pointing: Item) -> list[str]:
        """End the claim and move the pointer, all or nothing; give why each of them failed."""
        try:
            self._client.transact_write_items(TransactItems=[{"Put": ending}, {"Put": pointing}])
        except ClientError as error:
            if not is_lost_race(error):
                raise
            reasons = error.response["CancellationReasons"]
            return [str(reason.get("Code") or UNCONTESTED) for reason in reasons]
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

    def _record(self, record: DatasetRecord) -> None:
        item = {"pk": self._partition, "sk": record["dataset_id"], **record}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
