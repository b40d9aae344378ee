"""The prediction log in DynamoDB, known outcomes in S3."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import is_lost_race
from lambdas.common.documents import S3Documents
from lambdas.common.errors import DocumentNotFoundError
from lambdas.common.items import from_item, to_attribute, to_item
from lambdas.common.uris import s3_uri
from lambdas.data_pipeline.join_outcomes.logic import AwaitingPrediction, Outcome, Page
from lambdas.inference.contract import AWAITING_OUTCOME
from pipeline_code.data_pipeline.contract import label_index_key

_PAGE = 500


class DynamoPredictions:
    """Predictions; those that wait for an outcome stand in a sparse index, by bucket."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def awaiting(self, bucket: str, after: str) -> Page:
        """Read a page of the predictions that wait for an outcome of a bucket."""
        start = {"ExclusiveStartKey": to_item(json.loads(after))} if after else {}
        answer = self._client.query(
            TableName=self._table,
            IndexName=AWAITING_OUTCOME,
            KeyConditionExpression=f"{AWAITING_OUTCOME} = :bucket",
            ExpressionAttributeValues={":bucket": to_attribute(bucket)},
            Limit=_PAGE,
            **start,
        )
        items = [from_item(item) for item in answer["Items"]]
        found = [AwaitingPrediction(item["prediction_id"], item["entity_id"]) for item in items]
        last = answer.get("LastEvaluatedKey")
        return Page(found, json.dumps(from_item(last)) if last else "")

    def record(self, prediction: AwaitingPrediction, outcome: Outcome) -> bool:
        """Keep a prediction's outcome once; tell whether it was kept now.

        One that has its outcome already, or has expired meanwhile, is left as it is.
        """
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item({"prediction_id": prediction.prediction_id}),
                UpdateExpression=(
                    "SET outcome_label = :label, outcome_known_at = :known "
                    f"REMOVE {AWAITING_OUTCOME}"
                ),
                ConditionExpression=f"attribute_exists({AWAITING_OUTCOME})",
                ExpressionAttributeValues={
                    ":label": to_attribute(outcome["label"]),
                    ":known": to_attribute(outcome["known_at"]),
                },
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return False
        return True


class S3Outcomes:
    """Outcomes as the Spark job leaves them: JSON lines by bucket."""

    def __init__(self, documents: S3Documents, bucket: str) -> None:
        self._documents = documents
        self._store = bucket
        self._lines = lru_cache(maxsize=1)(self._read)

    def find(self, bucket: str, entities: Collection[str]) -> Mapping[str, Outcome]:
        """Find the outcomes of entities of a bucket."""
        known: dict[str, Outcome] = {}
        for line in self._lines(bucket):
            outcome: Outcome = json.loads(line)
            if outcome["entity_id"] in entities:
                known[outcome["entity_id"]] = outcome
        return known

    def forget(self) -> None:
        """Read anew from now on: another run may have written."""
        self._lines.cache_clear()

    def _read(self, bucket: str) -> list[bytes]:
        try:
            content = self._documents.read_bytes(s3_uri(self._store, label_index_key(bucket)))
        except DocumentNotFoundError:
            return []
        return gzip.decompress(content).splitlines()
