"""What the container answers over HTTP: bodies, and problem documents for all that is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from pipeline_code.inference.contract import JSON, PROBLEM_JSON, Problem

RETRY_AFTER = {"retry-after": "1"}


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def said_by(self, model_version: str) -> Answer:
        """Add to a problem document which version has the problem: canaries are judged by it."""
        document = {**msgspec.json.decode(self.body), "model_version": model_version}
        return self._replace(body=msgspec.json.encode(document))

    def head(self) -> bytes:
        """Give status line and headers, without the empty line after them."""
        fixed = _head(self.status, self.content_type, self.headers)
        return fixed + b"content-length: %d\r\n" % len(self.body)


class RefusedError(Exception):
    """A request that is answered with a problem document."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        errors: Sequence[dict[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.answer = problem(status, detail, errors, headers)


def problem(
    status: HTTPStatus,
    detail: str,
    errors: Sequence[dict[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Make a problem document (RFC 9457)."""
    document: Problem = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
    }
    if errors:
        document["errors"] = list(errors)
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {**RETRY_AFTER, **(headers or {})}
    body = msgspec.json.encode(document)
    return Answer(status, PROBLEM_JSON, body, tuple((headers or {}).items()))


@lru_cache(maxsize=256)
def _head(status: int, content_type: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = [f"HTTP/1.1 {int(status)} {HTTPStatus(status).phrase}", f"content-type: {content_type}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def ok(body: bytes, content_type: str = JSON) -> Answer:
    """Answer 200."""
    return Answer(HTTPStatus.OK, content_type, body)
