"""Files in other buckets, the landing zone in S3, and what is remembered in DynamoDB."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.items import from_item, to_item
from lambdas.common.uris import s3_uri, split_uri
from lambdas.data_pipeline.pull_source.logic import Download, PullFailedError, PullState
from lambdas.data_pipeline.tables import pull_key

DIGEST_METADATA = "sha256"
"""By this the operator's command sees that it need not upload the same content."""


class BucketFiles:
    """Files of another bucket: one, or all that lie under a prefix."""

    def __init__(self, client: Any, source: str, limit_bytes: int) -> None:
        self._client = client
        self._source = source
        self._limit_bytes = limit_bytes

    def files(self, uri: str) -> Iterator[str]:
        """List the objects under a prefix, in the order of their names."""
        bucket, prefix = split_uri(uri)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            for page in pages:
                for entry in page.get("Contents", []):
                    if not entry["Key"].endswith("/"):
                        yield s3_uri(bucket, entry["Key"])
        except (BotoCoreError, ClientError) as error:
            raise self._failed(uri, str(error)) from error

    @contextmanager
    def download(self, uri: str, known_etag: str) -> Iterator[Download | None]:
        """Fetch a file, for as long as the context lasts; none if its ETag is the known one."""
        bucket, key = split_uri(uri)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "download"
            try:
                head = self._client.head_object(Bucket=bucket, Key=key)
                known = head["ETag"] == known_etag
                if not known:
                    self._check_size(uri, head["ContentLength"])
                    self._client.download_file(bucket, key, str(path))
            except (BotoCoreError, ClientError) as error:
                raise self._failed(uri, str(error)) from error
            if known:
                yield None
                return
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield Download(path, key.rsplit("/", 1)[-1], head["ETag"], digest)

    def _check_size(self, uri: str, size: int) -> None:
        if size > self._limit_bytes:
            raise self._failed(uri, f"its {size} bytes are more than {self._limit_bytes}")

    def _failed(self, uri: str, reason: str) -> PullFailedError:
        return PullFailedError(uri=uri, source=self._source, reason=reason)


class S3LandingZone:
    """The landing prefix of the raw lake."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def land(self, key: str, download: Download) -> None:
        """Upload a file."""
        self._client.upload_file(
            str(download.path),
            self._bucket,
            key,
            ExtraArgs={"Metadata": {DIGEST_METADATA: download.sha256}},
        )


class DynamoPullStates:
    """One item a remote file, in the Metadata table."""

    def __init__(self, client: Any, table: str, use_case: str) -> None:
        self._client = client
        self._table = table
        self._use_case = use_case

    def get(self, source: str, uri: str) -> PullState:
        """Read what was seen of a file the last time."""
        key = pull_key(self._use_case, source, uri)
        stored = self._client.get_item(
            TableName=self._table, Key=to_item(key), ConsistentRead=True
        ).get("Item")
        if stored is None:
            return PullState()
        item = from_item(stored)
        return PullState(**{name: str(item.get(name, "")) for name in PullState.__annotations__})

    def put(self, source: str, uri: str, state: PullState) -> None:
        """Remember what was seen of a file."""
        key = pull_key(self._use_case, source, uri)
        self._client.put_item(TableName=self._table, Item=to_item({**key, **asdict(state)}))
