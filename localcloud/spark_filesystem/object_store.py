"""S3 seen as a tree, under the credentials of one role."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from localcloud.spark_filesystem.entries import Entry, last_name, moved

READ_BYTES = 4 * 1024 * 1024
KEYS_PER_DELETE = 1000
RENAMES_AT_ONCE = 8
TRANSFER = TransferConfig(multipart_threshold=16 << 20, multipart_chunksize=16 << 20)
MISSING = {"404", "NoSuchKey", "NotFound"}
DENIED = {"403", "AccessDenied", "Forbidden"}


class StoreDeniedError(PermissionError):
    """S3 refused an action that the job's role does not hold."""


class S3Tree:
    """Files and directories of S3 buckets; a directory is a prefix that some object has."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find(self, bucket: str, key: str) -> Entry | None:
        """Describe a key, or tell that it does not exist."""
        return (self._object(bucket, key) if key else None) or self._prefix(bucket, key)

    def children(self, bucket: str, key: str) -> dict[str, Entry]:
        """List what lies directly under a prefix, by name."""
        found: dict[str, Entry] = {}
        prefix = key + "/" if key else ""
        for page in self._pages(bucket, prefix, Delimiter="/"):
            for folder in page.get("CommonPrefixes", []):
                name = last_name(folder["Prefix"].rstrip("/"))
                found[name] = Entry(name, is_directory=True)
            for item in page.get("Contents", []):
                if item["Key"] != prefix:
                    found[last_name(item["Key"])] = _entry(item["Key"], item, item["Size"])
        return found

    def keys_below(self, bucket: str, key: str) -> list[str]:
        """List the keys of all objects below a prefix."""
        prefix = key + "/" if key else ""
        return [i["Key"] for page in self._pages(bucket, prefix) for i in page.get("Contents", [])]

    def size_below(self, bucket: str, key: str) -> tuple[int, int]:
        """Count the objects below a prefix and their bytes."""
        pages = self._pages(bucket, key + "/" if key else "")
        sizes = [item["Size"] for page in pages for item in page.get("Contents", [])]
        return len(sizes), sum(sizes)

    def read(self, bucket: str, key: str, start: int, end: int) -> Iterator[bytes]:
        """Read a byte range piece by piece, so that a reader who leaves early costs one piece."""
        for first in range(start, end, READ_BYTES):
            last = min(first + READ_BYTES, end) - 1
            with denial_named("s3:GetObject", bucket, key):
                answer = self._client.get_object(
                    Bucket=bucket, Key=key, Range=f"bytes={first}-{last}"
                )
                yield answer["Body"].read()

    def write(self, bucket: str, key: str, content: Path) -> None:
        """Upload a file, in parts when it is large."""
        with denial_named("s3:PutObject", bucket, key):
            if content.stat().st_size < TRANSFER.multipart_threshold:
                with content.open("rb") as body:
                    self._client.put_object(Bucket=bucket, Key=key, Body=body)
            else:
                self._client.upload_file(str(content), bucket, key, Config=TRANSFER)

    def rename(self, bucket: str, source: str, target: str) -> bool:
        """Copy an object, or all below a prefix, and delete the source; tell if there was any."""
        keys = [source] if self._object(bucket, source) else self.keys_below(bucket, source)
        with ThreadPoolExecutor(RENAMES_AT_ONCE) as pool:
            for done in [pool.submit(self._copy, bucket, k, source, target) for k in keys]:
                done.result()
        self.delete_keys(bucket, keys)
        return bool(keys)

    def delete(self, bucket: str, key: str) -> bool:
        """Delete an object and all below it; tell whether there was anything."""
        keys = self.keys_below(bucket, key)
        if key and self._object(bucket, key):
            keys.append(key)
        self.delete_keys(bucket, keys)
        return bool(keys)

    def delete_keys(self, bucket: str, keys: list[str]) -> None:
        """Delete objects by key."""
        for start in range(0, len(keys), KEYS_PER_DELETE):
            some = keys[start : start + KEYS_PER_DELETE]
            with denial_named("s3:DeleteObject", bucket, some[0]):
                answer = self._client.delete_objects(
                    Bucket=bucket, Delete={"Objects": [{"Key": k} for k in some], "Quiet": True}
                )
            for error in answer.get("Errors", []):
                message = f"s3:DeleteObject on s3://{bucket}/{error['Key']}: {error['Message']}"
                raise StoreDeniedError(message)

    def _copy(self, bucket: str, key: str, source: str, target: str) -> None:
        destination = moved(key, source, target)
        with denial_named("s3:GetObject and s3:PutObject", bucket, destination):
            self._client.copy({"Bucket": bucket, "Key": key}, bucket, destination, Config=TRANSFER)

    def _object(self, bucket: str, key: str) -> Entry | None:
        try:
            head = self._client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            # Without s3:ListBucket a missing key answers 403; the listing that follows says which.
            if error.response["Error"]["Code"] in MISSING | DENIED:
                return None
            raise
        return _entry(key, head, head["ContentLength"])

    def _prefix(self, bucket: str, key: str) -> Entry | None:
        prefix = key + "/" if key else ""
        with denial_named("s3:ListBucket", bucket, prefix):
            page = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        if key and not page.get("KeyCount"):
            return None
        return Entry(last_name(key), is_directory=True)

    def _pages(self, bucket: str, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2")
        with denial_named("s3:ListBucket", bucket, prefix):
            yield from pages.paginate(Bucket=bucket, Prefix=prefix, **options)


class denial_named:  # noqa: N801 - reads as a statement: `with denial_named(...)`
    """Turn S3's refusals into an error that names the action and the key."""

    def __init__(self, action: str, bucket: str, key: str) -> None:
        self._what = f"{action} on s3://{bucket}/{key}"

    def __enter__(self) -> None:
        """Start watching."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Translate a client error, let anything else pass."""
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        if code in DENIED:
            raise StoreDeniedError(f"{self._what}: {error}") from error
        if code in {"NoSuchBucket", *MISSING}:
            raise FileNotFoundError(f"{self._what}: {error}") from error


def _entry(key: str, description: dict[str, Any], size: int) -> Entry:
    modified = int(description["LastModified"].timestamp() * 1000)
    return Entry(last_name(key), is_directory=False, size=size, modified_milliseconds=modified)
