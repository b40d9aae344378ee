"""Problem documents, RFC 9457, as answers of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from pipeline_code.inference.contract import Problem

PROBLEM_TYPE_PREFIX = "urn:fourblocks:problem:"


def problem(
    status: int, kind: str, detail: str, errors: Sequence[Mapping[str, str]] = ()
) -> Problem:
    """Say what is wrong; programs read ``kind``, people read ``detail``."""
    document: Problem = {
        "type": PROBLEM_TYPE_PREFIX + kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        document["errors"] = [dict(error) for error in errors]
    return document
