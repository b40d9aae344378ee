"""Why a query fails, in Athena's words."""

from __future__ import annotations


class QueryError(Exception):
    """A query cannot be answered; the message begins with Athena's name of the error."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")


class ScanLimitError(Exception):
    """Bytes scanned limit was exceeded."""


class Stopped(Exception):  # noqa: N818  it is no error: somebody asked for it
    """The query was stopped."""
