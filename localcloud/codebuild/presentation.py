"""What is kept of projects, builds and reports, put as the API answers it: seconds become times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from localcloud.documents import Document

TIMES = ("created", "lastModified", "startTime", "endTime", "expired")


def presented(document: Document) -> Document:
    """Turn every time of a document, at any depth, into a datetime."""
    return {name: _presented(name, value) for name, value in document.items()}


def _presented(name: str, value: Any) -> Any:
    if name in TIMES and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, dict):
        return presented(value)
    if isinstance(value, list):
        return [presented(each) if isinstance(each, dict) else each for each in value]
    return value
