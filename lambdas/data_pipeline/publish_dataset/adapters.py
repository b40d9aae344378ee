"""Run reports in S3, dataset versions in DynamoDB."""

from __future__ import annotations

from typing import Any, cast

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.claims import Claim
from lambdas.common.documents import Documents
from lambdas.common.dynamo_claims import DynamoClaims
from lambdas.common.items import to_item
from lambdas.common.uris import s3_uri
from lambdas.data_pipeline.publish_dataset.logic import DatasetRecord
from lambdas.data_pipeline.tables import LATEST, dataset_partition
from pipeline_code.data_pipeline.contract import RUNS_PREFIX, RunReport

REPORT_NAME = "report.json"


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

    def __init__(self, client: Any, table: str, use_case: str, claims: DynamoClaims) -> None:
        self._client = client
        self._table = table
        self._partition = dataset_partition(use_case)
        self._claims = claims

    def publish(self, record: DatasetRecord, claim: Claim, *, replacing: Claim) -> bool:
        """Record a version, make it the latest and end the claim, all or nothing; tell success.

        A version that was recorded before, by another run of the same content, stays as it is.
        """
        self._record(record)
        pointer = {name: record[name] for name in ("dataset_id", "manifest_uri", "published_at")}
        latest = {"pk": self._partition, "sk": LATEST, **pointer}
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {"Put": self._claims.put_request(claim, replacing)},
                    {"Put": {"TableName": self._table, "Item": to_item(latest)}},
                ]
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return False
        return True

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
