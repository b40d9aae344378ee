"""Dataset versions and models in DynamoDB, configurations in S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import NOT_FOUND, error_code
from lambdas.common.digests import digest_of
from lambdas.common.documents import Documents
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.items import from_item, to_item
from lambdas.common.model_records import ModelRecord
from lambdas.common.uris import s3_uri, split_uri
from lambdas.training_pipeline.accepted_configs import AcceptedConfigs
from lambdas.training_pipeline.contract import TRAINING_CONFIG_PREFIX
from lambdas.training_pipeline.member_cache import DynamoMemberCache
from lambdas.training_pipeline.plan_training.logic import DatasetVersion


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
    """The configuration that counts, and one immutable copy of each that was used."""

    def __init__(
        self, documents: Documents, published_uri: str, bucket: str, accepted: AcceptedConfigs
    ) -> None:
        self._documents = documents
        self._published_uri = published_uri
        self._bucket = bucket
        self._accepted = accepted

    def current(self) -> Mapping[str, Any]:
        """Read what was accepted last, unless a newer one was published with the stack since."""
        published = cast(Mapping[str, Any], self._documents.read(self._published_uri))
        accepted = self._accepted.current()
        if accepted is None or accepted["published_digest"] != digest_of(published):
            return published
        return self.used(accepted["digest"])

    def used(self, digest: str) -> Mapping[str, Any]:
        """Read what an earlier training used."""
        return cast(Mapping[str, Any], self._documents.read(self._uri(digest)))

    def keep(self, digest: str, config: Mapping[str, Any]) -> str:
        """Keep a configuration under its digest; the same content gives the same bytes."""
        self._documents.write(self._uri(digest), config)
        return self._uri(digest)

    def _uri(self, digest: str) -> str:
        return s3_uri(self._bucket, f"{TRAINING_CONFIG_PREFIX}{digest}.json")


class DynamoModels:
    """The model repository's view of what serves."""

    def __init__(self, records: DynamoModelRecords) -> None:
        self._records = records

    def champion(self) -> ModelRecord | None:
        """Find the model version that serves."""
        serving = self._records.serving()
        return self._records.version(serving["version"]) if serving else None

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""
        return self._records.version(version)


class CachedArtefacts:
    """What members' jobs left, by the digest of their inputs."""

    def __init__(self, cache: DynamoMemberCache, client: Any) -> None:
        self._cache = cache
        self._client = client

    def known(self, cache_key: str) -> str | None:
        """Give where the artefact of these very inputs lies, if it still does."""
        uri = self._cache.get(cache_key)
        if uri is None:
            return None
        bucket, key = split_uri(uri)
        try:
            self._client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error_code(error) not in NOT_FOUND:
                raise
            return None
        return uri
