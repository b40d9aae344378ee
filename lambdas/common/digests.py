"""Digests of values: the same content gives the same text, whatever order its keys came in."""

from __future__ import annotations

import hashlib
import json


def canonical_json(value: object) -> str:
    """Write a value as the one JSON text that all writers of it agree on."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest_of(value: object) -> str:
    """Give the SHA-256 of a value's canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def short_digest(value: object, digits: int = 16) -> str:
    """Give the first hex digits of a value's digest, enough to name a version by."""
    return digest_of(value)[:digits]
