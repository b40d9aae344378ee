"""Where time enters: handlers pass these to logic, tests pass their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], str]
"""Gives the time now: ISO 8601, UTC, milliseconds, so that texts sort as times do."""


def utc_now() -> str:
    """Read the machine's clock."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
