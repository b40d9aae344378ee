"""Objects by URI: small reads, writes and copies beside Spark, on S3 or in a local folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlparse

HEAD_BYTES = 65_536
"""What ``head`` reads: room for the header line of a source file."""
CHUNK_BYTES = 8 * 1024 * 1024
"""What ``chunks`` holds in memory."""


class Storage(Protocol):
    """What a job does with single objects; each URI is ``s3://bucket/key`` or ``file:///path``."""

    def read(self, uri: str) -> bytes:
        """Read a whole small object."""
        ...

    def read_if_there(self, uri: str) -> bytes | None:
        """Read a whole small object; none if there is none."""
        ...

    def head(self, uri: str, version_id: str = "") -> bytes:
        """Read the first bytes of an object, in the given version."""
        ...

    def chunks(self, uri: str, size_bytes: int) -> Iterator[bytes]:
        """Read a whole object of a known size, a part at a time."""
        ...

    def write(self, uri: str, content: bytes) -> None:
        """Write an object."""
        ...

    def write_once(self, uri: str, content: bytes) -> bool:
        """Write an object unless there is one; tell whether it was written."""
        ...

    def copy(self, source: str, target: str, version_id: str = "") -> None:
        """Copy an object, in the given version, without reading it here."""
        ...

    def delete_all(self, prefix: str) -> None:
        """Delete every object below a URI that ends in ``/``."""
        ...


def storage_of(uri: str) -> Storage:
    """Choose the storage that a URI speaks of."""
    scheme = urlparse(uri).scheme
    if scheme == "s3":
        return S3Storage()
    if scheme == "file":
        return LocalStorage()
    raise ValueError(f"{uri!r}: the scheme is {scheme!r}, must be s3 or file")


class S3Storage:
    """Objects in Amazon S3."""

    def __init__(self) -> None:
        import boto3  # noqa: PLC0415 - a run on local folders needs no AWS

        self._client: Any = boto3.client("s3")

    def read(self, uri: str) -> bytes:
        """Read a whole small object."""
        content: bytes = self._client.get_object(**_address(uri))["Body"].read()
        return content

    def read_if_there(self, uri: str) -> bytes | None:
        """Read a whole small object; none if there is none."""
        try:
            return self.read(uri)
        except self._client.exceptions.NoSuchKey:
            return None

    def head(self, uri: str, version_id: str = "") -> bytes:
        """Read the first bytes of an object, in the given version."""
        answer = self._client.get_object(
            **_address(uri), **_version(version_id), Range=f"bytes=0-{HEAD_BYTES - 1}"
        )
        content: bytes = answer["Body"].read()
        return content

    def chunks(self, uri: str, size_bytes: int) -> Iterator[bytes]:
        """Read a whole object of a known size, a part at a time; each is a request of its own."""
        for first in range(0, size_bytes, CHUNK_BYTES):
            last = min(first + CHUNK_BYTES, size_bytes) - 1
            answer = self._client.get_object(**_address(uri), Range=f"bytes={first}-{last}")
            yield answer["Body"].read()

    def write(self, uri: str, content: bytes) -> None:
        """Write an object."""
        self._client.put_object(**_address(uri), Body=content)

    def write_once(self, uri: str, content: bytes) -> bool:
        """Write an object unless there is one; tell whether it was written."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - comes with boto3

        try:
            self._client.put_object(**_address(uri), Body=content, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            return False
        return True

    def copy(self, source: str, target: str, version_id: str = "") -> None:
        """Copy an object, in the given version, without reading it here."""
        copied = {**_address(source), **_version(version_id)}
        self._client.copy(CopySource=copied, **_address(target))

    def delete_all(self, prefix: str) -> None:
        """Delete every object below a URI that ends in ``/``."""
        address = _address(prefix)
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=address["Bucket"], Prefix=address["Key"]
        )
        for page in pages:
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if keys:
                self._client.delete_objects(Bucket=address["Bucket"], Delete={"Objects": keys})


class LocalStorage:
    """Files below a local folder; versions are not kept, so a version id has no meaning."""

    def read(self, uri: str) -> bytes:
        """Read a whole file."""
        return _path(uri).read_bytes()

    def read_if_there(self, uri: str) -> bytes | None:
        """Read a whole file; none if there is none."""
        path = _path(uri)
        return path.read_bytes() if path.is_file() else None

    def head(self, uri: str, version_id: str = "") -> bytes:  # noqa: ARG002
        """Read the first bytes of a file."""
        with _path(uri).open("rb") as file:
            return file.read(HEAD_BYTES)

    def chunks(self, uri: str, size_bytes: int) -> Iterator[bytes]:  # noqa: ARG002
        """Read a whole file, a part at a time."""
        with _path(uri).open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def write(self, uri: str, content: bytes) -> None:
        """Write a file and the folders above it."""
        path = _path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def write_once(self, uri: str, content: bytes) -> bool:
        """Write a file unless there is one; tell whether it was written.

        A name appears with all of its content or not at all, even if the process is killed.
        """
        path = _path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".") as file:
            file.write(content)
            file.flush()
            try:
                path.hardlink_to(file.name)
            except FileExistsError:
                return False
        return True

    def copy(self, source: str, target: str, version_id: str = "") -> None:  # noqa: ARG002
        """Copy a file."""
        path = _path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_path(source), path)

    def delete_all(self, prefix: str) -> None:
        """Delete a folder."""
        shutil.rmtree(_path(prefix), ignore_errors=True)


def _address(uri: str) -> dict[str, str]:
    parts = urlparse(uri, allow_fragments=False)
    return {"Bucket": parts.netloc, "Key": parts.path.lstrip("/")}


def _version(version_id: str) -> dict[str, str]:
    return {"VersionId": version_id} if version_id else {}


def _path(uri: str) -> Path:
    return Path(unquote(urlparse(uri).path))
