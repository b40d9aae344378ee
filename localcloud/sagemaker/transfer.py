"""Moves inputs and outputs of containers between S3 and folders, as the container's role."""

from __future__ import annotations

import gzip
import re
import shutil
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

TRANSFERS_AT_ONCE = 8
# s3.us-east-1.amazonaws.com, the old s3-us-east-1 and s3, China's suffix, a bucket before it.
_S3_HOST = re.compile(r"((?P<bucket>[a-z0-9.-]+?)\.)?s3([.-][a-z0-9-]+)?\.amazonaws\.com(\.cn)?$")


class TransferError(Exception):
    """Data could not be moved; the message is the job's failure reason."""


def location(uri: str) -> tuple[str, str]:
    """Split an S3 URI, or the URL of an object in either style of S3's, into bucket and key."""
    parts = urlsplit(uri, allow_fragments=False)
    path = parts.path.lstrip("/")
    host = _S3_HOST.match(parts.netloc) if parts.scheme == "https" else None
    if parts.scheme == "s3" and parts.netloc:
        return parts.netloc, path
    if host and host["bucket"]:
        return host["bucket"], unquote(path)
    if host and path:
        bucket, _, key = path.partition("/")
        return bucket, unquote(key)
    raise TransferError(
        f"ClientError: {uri} is not an S3 URI: it is either s3://<bucket>/<key> or "
        "https://s3.<region>.amazonaws.com/<bucket>/<key>"
    )


def download_prefix(s3: Any, uri: str, folder: Path, *, unzip: bool = False) -> int:
    """Download all objects that start with a prefix, keeping what follows its last slash."""
    bucket, prefix = location(uri)
    keys = [key for key in _keys(s3, bucket, prefix) if not key.endswith("/")]
    if not keys:
        raise TransferError(
            f"ClientError: Data download failed: no S3 objects found under S3 URL {uri!r}. Please "
            "ensure that the bucket exists in the selected region, that objects exist under the "
            "S3 prefix, and that the role has s3:ListBucket permission on the bucket."
        )
    # A prefix that names one object exactly, or ends in a slash, strips up to its last slash.
    strip = len(prefix) if prefix.endswith("/") or not prefix else prefix.rfind("/") + 1
    if prefix and not prefix.endswith("/") and prefix not in keys:
        strip = len(prefix) + 1 if all(k.startswith(prefix + "/") for k in keys) else strip
    with ThreadPoolExecutor(TRANSFERS_AT_ONCE) as pool:
        jobs = [
            pool.submit(_download, s3, bucket, key, folder / key[strip:], unzip) for key in keys
        ]
        for job in jobs:
            job.result()
    return len(keys)


def download_file(s3: Any, uri: str, target: Path) -> None:
    """Download one object."""
    _download(s3, *location(uri), target, False)


def upload_file(s3: Any, source: Path, uri: str, kms_key: str | None = None) -> None:
    """Upload one file, encrypted with a key when the request names one."""
    bucket, key = location(uri)
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    try:
        s3.upload_file(str(source), bucket, key, ExtraArgs=encryption)
    except (BotoCoreError, ClientError, OSError, Boto3Error) as error:
        raise _failure("upload to", uri, error) from error


def upload_folder(s3: Any, folder: Path, uri: str, kms_key: str | None = None) -> None:
    """Upload all files of a folder under a prefix."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    with ThreadPoolExecutor(TRANSFERS_AT_ONCE) as pool:
        base = uri.rstrip("/")
        jobs = [
            pool.submit(
                upload_file, s3, file, f"{base}/{file.relative_to(folder).as_posix()}", kms_key
            )
            for file in files
        ]
        for job in jobs:
            job.result()


def pack(folder: Path, archive: Path) -> None:
    """Write a folder's content as a gzipped tar whose bytes depend on the content alone."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0, compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for file in sorted(folder.rglob("*")):
            tar.add(file, file.relative_to(folder).as_posix(), recursive=False, filter=_anonymous)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a gzipped tar; an entry that would land outside the folder is refused."""
    try:
        with tarfile.open(archive, "r:*") as tar:
            for entry in tar:
                _refuse_escape(entry, folder)
                tar.extract(entry, folder, set_attrs=entry.isfile())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise TransferError(f"ClientError: {archive.name} cannot be unpacked: {error}") from error


def _refuse_escape(entry: tarfile.TarInfo, folder: Path) -> None:
    """Refuse what tarfile's own filter refuses, which Python has since 3.11.4 only."""
    landing = (folder / entry.name).resolve()
    if entry.issym():
        landing = (landing.parent / entry.linkname).resolve()
    elif entry.islnk():
        landing = (folder / entry.linkname).resolve()
    if entry.isdev() or not landing.is_relative_to(folder.resolve()):
        raise tarfile.TarError(f"{entry.name} would land outside of the folder")


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from (item["Key"] for item in page.get("Contents", []))
    except (BotoCoreError, ClientError) as error:
        raise _failure("list", f"s3://{bucket}/{prefix}", error) from error


def _download(s3: Any, bucket: str, key: str, target: Path, unzip: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
        with target.open("wb") as file:
            source = gzip.GzipFile(fileobj=body) if unzip else body
            shutil.copyfileobj(source, file, 1 << 20)
    except (BotoCoreError, ClientError, OSError) as error:
        raise _failure("download", f"s3://{bucket}/{key}", error) from error


def _failure(verb: str, uri: str, error: Exception) -> TransferError:
    return TransferError(f"ClientError: Failed to {verb} {uri}: {error}")
