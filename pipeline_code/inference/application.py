"""The endpoint's HTTP interface, ``/ping`` and ``/invocations``, as an RSGI application."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from pipeline_code.inference.contract import (
    JSON,
    MAX_BODY_BYTES,
    PROBLEM_JSON,
    PredictionResponse,
    Problem,
)
from pipeline_code.inference.golden_check import GoldenCheck
from pipeline_code.inference.predictor import Predictor
from pipeline_code.inference.validation import BadRequestError, FieldError, parse_request

logger = logging.getLogger(__name__)


class HttpProtocol(Protocol):
    """The part of RSGI's protocol object that we use."""

    def __aiter__(self) -> Any:
        """Iterate over the body's chunks."""
        ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer."""
        ...


class Scope(Protocol):
    """The part of RSGI's scope that we use."""

    proto: str
    method: str
    path: str
    headers: Any


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes
    allow: str = ""


class RefusedError(Exception):
    """A request that is answered with a problem document."""

    def __init__(self, status: HTTPStatus, detail: str, errors: list[FieldError]) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors


class Application:
    """Answers requests with one predictor; well only while a golden answer comes out right."""

    def __init__(self, predictor: Predictor, golden: GoldenCheck, model_version: str) -> None:
        self._predictor = predictor
        self._inputs = predictor.use_case.inputs
        self._golden = golden
        self._model_version = model_version

    async def __rsgi__(self, scope: Scope, protocol: HttpProtocol) -> None:
        """Serve one request."""
        try:
            answer = await self._route(scope, protocol)
        except RefusedError as refused:
            answer = problem(refused.status, refused.detail, refused.errors)
        except Exception:
            logger.exception("unexpected error while answering %s %s", scope.method, scope.path)
            answer = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The model could not answer.", [])
        headers = [("content-type", answer.content_type)]
        if answer.allow:
            headers.append(("allow", answer.allow))
        protocol.response_bytes(answer.status, headers, answer.body)

    async def _route(self, scope: Scope, protocol: HttpProtocol) -> Answer:
        methods = {"/invocations": "POST", "/ping": "GET"}
        allowed = methods.get(scope.path)
        if allowed is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"There is no {scope.path[:100]}.", [])
        if scope.method != allowed:
            return problem(HTTPStatus.METHOD_NOT_ALLOWED, f"Use {allowed}.", [], allow=allowed)
        if scope.path == "/ping":
            return self._ping()
        _demand_json(scope)
        body = await _read_body(scope, protocol)
        return self._invoke(body)

    def _ping(self) -> Answer:
        failure = self._golden.failure()
        if failure:
            logger.error("golden request failed: %s", failure)
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "The model answers wrongly.", [])
        return Answer(HTTPStatus.OK, JSON, b"{}")

    def _invoke(self, body: bytes) -> Answer:
        try:
            instances = parse_request(body, self._inputs)
        except BadRequestError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, error.detail, error.errors) from error
        response: PredictionResponse = {
            "model_version": self._model_version,
            "predictions": self._predictor.predict(instances),
        }
        return Answer(HTTPStatus.OK, JSON, json.dumps(response, allow_nan=False).encode())


def problem(
    status: HTTPStatus, detail: str, errors: list[FieldError], *, allow: str = ""
) -> Answer:
    """Make a problem document (RFC 9457)."""
    document: Problem = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
    }
    if errors:
        document["errors"] = errors
    return Answer(status, PROBLEM_JSON, json.dumps(document).encode(), allow)


def _demand_json(scope: Scope) -> None:
    content_type = scope.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        detail = f"The media type {content_type[:100]!r} is not supported, send {JSON}."
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, [])


async def _read_body(scope: Scope, protocol: HttpProtocol) -> bytes:
    length = scope.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > MAX_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    async for chunk in protocol:
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> RefusedError:
    detail = f"The body may have {MAX_BODY_BYTES} bytes at most."
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, [])
