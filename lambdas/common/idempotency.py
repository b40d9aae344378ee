"""Writes that happen once however often they are asked for: one key, one body, one answer.

Of an `Idempotency-Key` the first request is answered and its answer kept; the same request again
gets that answer, another request under the same key is refused. A request that was refused or
failed leaves nothing, so that it may be made again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypedDict

from lambdas.common.api import IDEMPOTENCY_HEADER, Answer, ApiRequest, ApiResponse
from lambdas.common.refusals import RefusedError

KEPT_SECONDS = 24 * 3600
LOCK_SECONDS = 60
"""Longer than any function behind the API may run: then whoever holds the key is dead."""
_KEY = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_REFUSED = 400
_SHOWN = 40


class Attempt(TypedDict):
    """What is known of a key: whose request holds it, what it asked, and what it was answered."""

    request_key: str
    holder: str
    asked: str
    locked_until: int
    expires_at: int
    answer: str
    """Status, document and headers as JSON; empty while the request is still being answered."""


class Attempts(Protocol):
    """The keys that are in use."""

    def begin(self, attempt: Attempt, now: int) -> Attempt | None:
        """Take a key; give what is known of it where somebody has it."""

    def finish(self, attempt: Attempt) -> None:
        """Keep the answer that it holds, if the key is still this holder's."""

    def abandon(self, attempt: Attempt) -> None:
        """Give the key back, if it is still this holder's."""


@dataclass(frozen=True)
class Once:
    """Answers a request at most once a key."""

    attempts: Attempts
    seconds: Callable[[], int]
    new_holder: Callable[[], str]

    def answer(self, request: ApiRequest, answer: Answer) -> ApiResponse:
        """Answer a request, or repeat what the same request was answered."""
        key = request.idempotency_key
        if key is None or request.method != "POST":
            return answer(request)
        if not _KEY.fullmatch(key):
            allowed = "1 to 128 visible ASCII characters"
            raise RefusedError(
                400,
                "invalid-idempotency-key",
                f"{IDEMPOTENCY_HEADER} is {key[:_SHOWN]!r}, but must be {allowed}.",
            )
        attempt = self._attempt(request, key)
        earlier = self.attempts.begin(attempt, self.seconds())
        if earlier is None:
            return self._first(request, attempt, answer)
        return self._repeat(attempt, earlier, key)

    def _attempt(self, request: ApiRequest, key: str) -> Attempt:
        now = self.seconds()
        return {
            "request_key": _digest(request.caller, request.method, request.path, key),
            "holder": self.new_holder(),
            "asked": _digest(request.body or "", str(request.is_base64)),
            "locked_until": now + LOCK_SECONDS,
            "expires_at": now + KEPT_SECONDS,
            "answer": "",
        }

    def _first(self, request: ApiRequest, attempt: Attempt, answer: Answer) -> ApiResponse:
        try:
            response = answer(request)
        except BaseException:
            self.attempts.abandon(attempt)
            raise
        if response.status >= _REFUSED:
            self.attempts.abandon(attempt)
        else:
            kept = [response.status, dict(response.document), dict(response.headers)]
            self.attempts.finish({**attempt, "answer": json.dumps(kept)})
        return response

    def _repeat(self, attempt: Attempt, earlier: Attempt, key: str) -> ApiResponse:
        if earlier["asked"] != attempt["asked"]:
            raise RefusedError(
                422,
                "idempotency-key-reused",
                f"The key {key[:_SHOWN]!r} came with another body before; use a new key.",
            )
        if not earlier["answer"]:
            raise RefusedError(
                409,
                "request-in-progress",
                "The same request is being answered right now; ask again later.",
                headers={"Retry-After": "1"},
            )
        status, document, headers = json.loads(earlier["answer"])
        return ApiResponse(status, document, {**headers, "Idempotency-Replayed": "true"})


def _digest(*texts: str) -> str:
    """Give the digest of texts; a length before each keeps them apart."""
    digest = hashlib.sha256()
    for text in texts:
        content = text.encode(errors="surrogatepass")
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()
