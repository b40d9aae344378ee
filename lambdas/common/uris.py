"""Addresses of objects: ``s3://<bucket>/<key>``."""

from __future__ import annotations

SCHEME = "s3://"


def s3_uri(bucket: str, key: str) -> str:
    """Give an object's address."""
    return f"{SCHEME}{bucket}/{key}"


def split_uri(uri: str) -> tuple[str, str]:
    """Take an address apart into bucket and key."""
    bucket, separator, key = uri.removeprefix(SCHEME).partition("/")
    if not uri.startswith(SCHEME) or not bucket or not separator:
        raise ValueError(f"{uri!r} is not an object's address: s3://<bucket>/<key>")
    return bucket, key


def parent(uri: str) -> str:
    """Give the prefix that an object lies under, with its trailing slash."""
    return uri[: uri.rindex("/") + 1]
