"""JSON documents in S3."""

from __future__ import annotations

import json
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import NOT_FOUND, error_code
from lambdas.common.digests import canonical_json
from lambdas.common.errors import DocumentNotFoundError
from lambdas.common.uris import split_uri


class Documents(Protocol):
    """Where JSON documents lie."""

    def read(self, uri: str) -> Any:
        """Read one; raises ``DocumentNotFoundError``."""

    def write(self, uri: str, document: object) -> None:
        """Write one, canonically: the same content gives the same bytes."""


class S3Documents:
    """JSON documents in S3."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, uri: str) -> Any:
        """Read one; raises ``DocumentNotFoundError``."""
        return json.loads(self.read_bytes(uri))

    def read_bytes(self, uri: str) -> bytes:
        """Read an object's bytes; raises ``DocumentNotFoundError``."""
        bucket, key = split_uri(uri)
        try:
            content: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error_code(error) not in NOT_FOUND:
                raise
            raise DocumentNotFoundError(uri=uri) from error
        return content

    def metadata(self, uri: str) -> dict[str, str]:
        """Read what an object's writer said about it."""
        bucket, key = split_uri(uri)
        found: dict[str, str] = self._client.head_object(Bucket=bucket, Key=key)["Metadata"]
        return found

    def write(self, uri: str, document: object) -> None:
        """Write one, canonically: the same content gives the same bytes."""
        bucket, key = split_uri(uri)
        self._client.put_object(
            Bucket=bucket,
            Key=key,
            Body=canonical_json(document).encode(),
            ContentType="application/json",
        )
