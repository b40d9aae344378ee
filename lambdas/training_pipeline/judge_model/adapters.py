"""Evaluations and configurations in S3, what serves in DynamoDB."""

from __future__ import annotations

from typing import cast

from lambdas.common.documents import Documents
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.uris import s3_uri
from lambdas.training_pipeline.contract import TRAINING_CONFIG_PREFIX
from lambdas.training_pipeline.training_config import gate
from pipeline_code.training_pipeline.contract import Evaluation, Gate


class S3Reports:
    """Evaluations in the model store, configurations in the config store."""

    def __init__(self, documents: Documents, config_bucket: str) -> None:
        self._documents = documents
        self._config_bucket = config_bucket

    def evaluation(self, uri: str) -> Evaluation:
        """Read an evaluation."""
        return cast(Evaluation, self._documents.read(uri))

    def gate(self, config_digest: str) -> Gate:
        """Read the limits of a configuration."""
        uri = s3_uri(self._config_bucket, f"{TRAINING_CONFIG_PREFIX}{config_digest}.json")
        return gate(self._documents.read(uri))


class DynamoServing:
    """What serves, as the model repository knows it."""

    def __init__(self, records: DynamoModelRecords) -> None:
        self._records = records

    def version(self) -> int | None:
        """Give the version that serves."""
        serving = self._records.serving()
        return serving["version"] if serving else None
