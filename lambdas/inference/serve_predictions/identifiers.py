"""Ids that sort by time of making, as version 7 of UUID."""

from __future__ import annotations

from uuid import UUID

_RANDOM_BYTES = 10


def uuid7(milliseconds: int, randomness: bytes) -> str:
    """Make an id of a time and ten random bytes."""
    if len(randomness) != _RANDOM_BYTES:
        raise ValueError(f"{len(randomness)} random bytes given, {_RANDOM_BYTES} needed")
    value = bytearray(milliseconds.to_bytes(6, "big") + randomness)
    value[6] = 0x70 | value[6] & 0x0F
    value[8] = 0x80 | value[8] & 0x3F
    return str(UUID(bytes=bytes(value)))
