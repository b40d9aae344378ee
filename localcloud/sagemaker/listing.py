"""List operations: filtering, sorting and paging, the same for every kind of resource."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.scope import Document

PAGE = 10
COMPARISONS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "CreationTimeAfter": ("CreationTime", lambda value, limit: value > limit),
    "CreationTimeBefore": ("CreationTime", lambda value, limit: value < limit),
    "LastModifiedTimeAfter": ("LastModifiedTime", lambda value, limit: value > limit),
    "LastModifiedTimeBefore": ("LastModifiedTime", lambda value, limit: value < limit),
}


def page(
    documents: Sequence[Document],
    request: Mapping[str, Any],
    *,
    name: str,
    status: str,
    fields: Sequence[str],
    by: Callable[[Document], Any] | None = None,
) -> tuple[list[Document], str | None]:
    """Choose one page of summaries and the token of the next; `by` orders as no member does."""
    chosen = [d for d in documents if _matches(d, request, name, status)]
    order = {"Name": name, "Status": status}.get(request.get("SortBy", ""), "CreationTime")
    descending = request.get("SortOrder", "Descending") == "Descending"
    chosen.sort(key=lambda d: (by(d) if by else d[order], d[name]), reverse=descending)
    start = _start(request.get("NextToken"))
    end = start + int(request.get("MaxResults", PAGE))
    token = base64.b64encode(str(end).encode()).decode() if end < len(chosen) else None
    return [{f: d[f] for f in fields if f in d} for d in chosen[start:end]], token


def _matches(document: Document, request: Mapping[str, Any], name: str, status: str) -> bool:
    if request.get("NameContains", "").lower() not in document[name].lower():
        return False
    if "StatusEquals" in request and document.get(status) != request["StatusEquals"]:
        return False
    return all(
        compare(document[field], request[parameter].timestamp())
        for parameter, (field, compare) in COMPARISONS.items()
        if parameter in request
    )


def _start(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except ValueError as error:
        raise invalid(f"Invalid NextToken: {token}") from error
