"""Decisions in S3, found through DynamoDB."""

from __future__ import annotations

import json
from typing import Any, cast

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.items import from_item, to_item
from lambdas.common.uris import s3_uri, split_uri
from lambdas.inference.contract import DECISION_DOCUMENTS_PREFIX, DECISION_ROWS_PREFIX
from lambdas.inference.decisions import DecisionRecord


class AwsDecisionStore:
    """Documents and rows in the analytics bucket, records in a table."""

    def __init__(self, dynamodb: Any, s3: Any, table: str, bucket: str) -> None:
        self._dynamodb = dynamodb
        self._s3 = s3
        self._table = table
        self._bucket = bucket

    def find(self, decision_id: str) -> DecisionRecord | None:
        """Find the record of a decision."""
        item = self._dynamodb.get_item(
            TableName=self._table, Key=to_item({"decision_id": decision_id}), ConsistentRead=True
        ).get("Item")
        return None if item is None else cast(DecisionRecord, from_item(item))

    def read(self, record: DecisionRecord) -> dict[str, Any]:
        """Read a decision's document."""
        bucket, key = split_uri(record["document_uri"])
        body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        document: dict[str, Any] = json.loads(body)
        return document

    def write(self, decision_id: str, document: bytes, rows: bytes, day: str) -> str:
        """Keep a document and its rows; give the document's URI."""
        key = f"{DECISION_DOCUMENTS_PREFIX}{decision_id}.json"
        self._put(key, document, "application/json")
        self._put(
            f"{DECISION_ROWS_PREFIX}day={day}/{decision_id}.json.gz", rows, "application/gzip"
        )
        return s3_uri(self._bucket, key)

    def commit(self, record: DecisionRecord) -> bool:
        """Make a decision findable; tell whether it was new."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=to_item(record),
                ConditionExpression="attribute_not_exists(decision_id)",
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return False
        return True

    def _put(self, key: str, body: bytes, content_type: str) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)
