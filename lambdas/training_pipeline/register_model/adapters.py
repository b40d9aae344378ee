"""Artefacts, manifests and cards in S3, versions in DynamoDB."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from collections.abc import Mapping
from typing import IO, Any, cast

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import NOT_FOUND, error_code, is_lost_race
from lambdas.common.claims import Claim
from lambdas.common.documents import Documents
from lambdas.common.dynamo_claims import DynamoClaims
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.errors import DocumentNotFoundError
from lambdas.common.items import to_attribute, to_item
from lambdas.common.model_records import ARTEFACT_NAME, COUNTER, ModelRecord, version_key
from lambdas.common.seals import FileDigest, Manifest, Seal, Signer, manifest_bytes, seal_of
from lambdas.common.uris import s3_uri, split_uri
from lambdas.training_pipeline.contract import MODELS_PREFIX, TRAINING_CONFIG_PREFIX
from lambdas.training_pipeline.register_model.logic import ArtefactIncompleteError, StoredArtefact
from pipeline_code.training_pipeline.contract import GOLDEN_NAME

_CHUNK_BYTES = 1 << 20
_MEMORY_BYTES = 32 << 20


class S3Artefacts:
    """Artefacts at ``models/<model id>/``; what lies there is never written again."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, uri: str) -> StoredArtefact:
        """Copy an artefact, and the golden requests in it, to where its digest says."""
        with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as content:
            sha256, size = self._download(uri, content)
            golden = _golden(uri, content)
            model_id = f"m-{sha256[:16]}"
            artefact_key = f"{MODELS_PREFIX}{model_id}/{ARTEFACT_NAME}"
            golden_key = f"{MODELS_PREFIX}{model_id}/{GOLDEN_NAME}"
            self._put_once(golden_key, golden)
            content.seek(0)
            self._put_once(artefact_key, content)
        golden_sha256 = hashlib.sha256(golden).hexdigest()
        return StoredArtefact(
            model_id,
            self._file(artefact_key, sha256, size),
            self._file(golden_key, golden_sha256, len(golden)),
        )

    def _file(self, key: str, sha256: str, size: int) -> FileDigest:
        return {"uri": s3_uri(self._bucket, key), "sha256": sha256, "size_bytes": size}

    def _download(self, uri: str, content: IO[bytes]) -> tuple[str, int]:
        bucket, key = split_uri(uri)
        try:
            body = self._client.get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            if error_code(error) not in NOT_FOUND:
                raise
            raise DocumentNotFoundError(uri=uri) from error
        digest = hashlib.sha256()
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            digest.update(chunk)
            content.write(chunk)
        size = content.tell()
        content.seek(0)
        return digest.hexdigest(), size

    def _put_once(self, key: str, content: Any) -> None:
        try:
            self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) not in NOT_FOUND:
                raise
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content)


def _golden(uri: str, content: IO[bytes]) -> bytes:
    with tarfile.open(fileobj=content, mode="r:*") as archive:
        for member in archive:
            if member.name.removeprefix("./") == GOLDEN_NAME:
                extracted = archive.extractfile(member)
                if extracted:
                    return extracted.read()
    raise ArtefactIncompleteError(uri=uri, member=GOLDEN_NAME)


class S3Seals:
    """Manifests at ``models/<model id>/manifests/<training id>.json``, signed by one key."""

    def __init__(self, client: Any, bucket: str, key: str, signer: Signer) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._signer = signer

    def seal(self, manifest: Manifest) -> Seal:
        """Store a manifest beside its model, and sign it."""
        content = manifest_bytes(manifest)
        key = f"{MODELS_PREFIX}{manifest['model_id']}/manifests/{manifest['training_id']}.json"
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content)
        return seal_of(s3_uri(self._bucket, key), content, self._key, self._signer)


class S3Papers:
    """Evaluations and cards in the model store, configurations in the config store."""

    def __init__(self, documents: Documents, model_bucket: str, config_bucket: str) -> None:
        self._documents = documents
        self._model_bucket = model_bucket
        self._config_bucket = config_bucket

    def evaluation(self, uri: str) -> Mapping[str, Any]:
        """Read an evaluation."""
        return cast(Mapping[str, Any], self._documents.read(uri))

    def config(self, digest: str) -> Mapping[str, Any]:
        """Read the configuration of a training."""
        uri = s3_uri(self._config_bucket, f"{TRAINING_CONFIG_PREFIX}{digest}.json")
        return cast(Mapping[str, Any], self._documents.read(uri))

    def card_uri(self, model_id: str, version: int) -> str:
        """Say where a version's card lies."""
        return s3_uri(self._model_bucket, f"{MODELS_PREFIX}{model_id}/cards/v{version}.json")

    def write_card(self, uri: str, card: Mapping[str, Any]) -> None:
        """Write a model card."""
        self._documents.write(uri, card)


class DynamoRegistry:
    """Versions and their counter; one transaction writes a version and moves the counter."""

    def __init__(self, records: DynamoModelRecords, claims: DynamoClaims) -> None:
        self._records = records
        self._claims = claims

    def last_version(self) -> int:
        """Give the version that was registered last; 0 before the first."""
        counter = self._records.read(COUNTER)
        return int(counter["version"]) if counter else 0

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""
        return self._records.version(version)

    def add(self, record: ModelRecord, claim: Claim, *, replacing: Claim) -> bool:
        """Write the version after the last and end the claim, all or nothing; tell success."""
        try:
            self._records.client.transact_write_items(
                TransactItems=[
                    {"Put": self._counter(record["version"])},
                    {"Put": self._version(record)},
                    {"Put": self._claims.put_request(claim, replacing)},
                ]
            )
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return False
        return True

    def _counter(self, version: int) -> dict[str, Any]:
        put: dict[str, Any] = {
            "TableName": self._records.table,
            "Item": to_item({**self._records.key(COUNTER), "version": version}),
        }
        if version == 1:
            return {**put, "ConditionExpression": "attribute_not_exists(pk)"}
        return {
            **put,
            "ConditionExpression": "#version = :last",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":last": to_attribute(version - 1)},
        }

    def _version(self, record: ModelRecord) -> dict[str, Any]:
        return {
            "TableName": self._records.table,
            "Item": to_item({**self._records.key(version_key(record["version"])), **record}),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
