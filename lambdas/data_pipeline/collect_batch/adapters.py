"""The raw lake in S3."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from lambdas.common.documents import Documents
from lambdas.common.uris import s3_uri
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

    def landed(self, sources: Collection[str]) -> list[BatchObject]:
        """List the current version of every file of these sources."""
        return [entry for source in sources for entry in self._landed(source)]

    def write_batch(self, batch: Batch) -> str:
        """Write the list of a batch's objects; give its address."""
        uri = s3_uri(self._bucket, f"{BATCHES_PREFIX}{batch['batch_id']}.json")
        self._documents.write(uri, batch)
        return uri

    def _landed(self, source: str) -> Iterator[BatchObject]:
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=f"{LANDING_PREFIX}{source}/"
        )
        for page in pages:
            for version in page.get("Versions", []):
                if version["IsLatest"] and not version["Key"].endswith("/"):
                    yield _batch_object(source, version)


def _batch_object(source: str, version: Mapping[str, Any]) -> BatchObject:
    return {
        "source": source,
        "key": version["Key"],
        "version_id": version["VersionId"],
        "size_bytes": version["Size"],
        "etag": version["ETag"].strip('"'),
        "arrived_at": version["LastModified"].isoformat(),
    }
