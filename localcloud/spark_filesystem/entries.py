"""What a file system knows of one path, whichever store holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

Location = tuple[str, str]
"""A bucket and a key without leading or trailing slash; the key "" is the bucket itself."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Entry:
    """One file or directory."""

    name: str
    is_directory: bool
    size: int = 0
    modified_milliseconds: int = 0


def joined(*parts: str) -> str:
    """Join key parts with single slashes, leaving out empty ones."""
    return "/".join(part.strip("/") for part in parts if part.strip("/"))


def last_name(key: str) -> str:
    """Tell the last component of a key."""
    return key.rsplit("/", 1)[-1]


def parent(key: str) -> str:
    """Tell the key of the directory that holds a key."""
    return key.rpartition("/")[0]


def is_below(key: str, directory: str) -> bool:
    """Tell whether a key is a directory or lies somewhere below it."""
    return not directory or key == directory or key.startswith(directory + "/")


def moved(key: str, source: str, target: str) -> str:
    """Tell where a key lands when the directory that holds it is renamed."""
    return joined(target, key[len(source) :])
