"""The model store in S3."""

from __future__ import annotations

import hashlib
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import NOT_FOUND, error_code
from lambdas.common.uris import split_uri

_CHUNK_BYTES = 1 << 20


class S3Files:
    """Files of models in S3."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def content(self, uri: str) -> bytes | None:
        """Read a small file; nothing when it is not there."""
        body = self._body(uri)
        if body is None:
            return None
        content: bytes = body.read()
        return content

    def digest(self, uri: str) -> tuple[str, int]:
        """Give a file's SHA-256 and size; of one that is not there, an empty digest and -1."""
        body = self._body(uri)
        if body is None:
            return "", -1
        digest, size = hashlib.sha256(), 0
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
        return digest.hexdigest(), size

    def _body(self, uri: str) -> Any:
        bucket, key = split_uri(uri)
        try:
            return self._client.get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            if error_code(error) not in NOT_FOUND:
                raise
            return None
