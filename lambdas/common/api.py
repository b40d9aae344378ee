"""The boundary of every function behind the API: a proxy event in, an answer or a problem out.

An answer is sent with the correlation id that the request came with or was given here, and each
log line of the request carries it. Whatever a function raises becomes a problem document.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from lambdas.common.observability import JsonLogger
from lambdas.common.problem import problem
from lambdas.common.refusals import RefusedError
from pipeline_code.inference.contract import JSON, PROBLEM_JSON

CORRELATION_HEADER = "X-Correlation-Id"
IDEMPOTENCY_HEADER = "Idempotency-Key"
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
_SIGNED_IN = ":CognitoSignIn:"
_NOTHING: Mapping[str, str] = MappingProxyType({})


class ApiRequest(NamedTuple):
    """A request, freed of its transport."""

    method: str
    path: str
    body: str | None
    is_base64: bool
    correlation_id: str
    content_type: str = ""
    caller: str = ""
    """The principal that signed it; empty where API Gateway names none."""
    resource: str = ""
    """The path as the OpenAPI document writes it."""
    parameters: Mapping[str, str] = _NOTHING
    query: Mapping[str, str] = _NOTHING
    idempotency_key: str | None = None


class ApiResponse(NamedTuple):
    """An answer, before its transport."""

    status: int
    document: Mapping[str, Any]
    headers: Mapping[str, str]


Answer = Callable[[ApiRequest], ApiResponse]


def serve(event: Mapping[str, Any], logger: JsonLogger, answer: Answer) -> dict[str, Any]:
    """Answer a proxy event, log what became of it, and never raise."""
    started = time.perf_counter()
    request = read_event(event)
    logger = logger.bind(correlation_id=request.correlation_id)
    response = _answer(request, answer, logger)
    logger.info(
        "request answered",
        method=request.method,
        path=request.path,
        status=response.status,
        milliseconds=round((time.perf_counter() - started) * 1000, 2),
    )
    return {
        "statusCode": response.status,
        "headers": transport_headers(response, request.correlation_id),
        "body": json.dumps(response.document),
        "isBase64Encoded": False,
    }


def problem_response(document: Mapping[str, Any], headers: Mapping[str, str]) -> ApiResponse:
    """Give a problem document as an answer."""
    return ApiResponse(int(document["status"]), document, {**headers, "Content-Type": PROBLEM_JSON})


def transport_headers(response: ApiResponse, correlation_id: str) -> dict[str, str]:
    """Give the headers that an answer travels with."""
    return {"Content-Type": JSON, **response.headers, CORRELATION_HEADER: correlation_id}


def read_event(event: Mapping[str, Any]) -> ApiRequest:
    """Read an event of API Gateway's Lambda proxy integration."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    context = event.get("requestContext", {})
    given = headers.get(CORRELATION_HEADER.lower()) or ""
    made = context.get("requestId") or os.urandom(16).hex()
    return ApiRequest(
        method=event["httpMethod"],
        path=event["path"],
        body=event.get("body"),
        is_base64=bool(event.get("isBase64Encoded")),
        correlation_id=given if _CORRELATION_ID.fullmatch(given) else made,
        content_type=headers.get("content-type") or "",
        caller=caller(context.get("identity", {})),
        resource=event.get("resource") or "",
        parameters=event.get("pathParameters") or _NOTHING,
        query=event.get("queryStringParameters") or _NOTHING,
        idempotency_key=headers.get(IDEMPOTENCY_HEADER.lower()),
    )


def caller(identity: Mapping[str, Any]) -> str:
    """Name the principal: who signed in to the user pool, or else who signed the request.

    All people of a group sign with the same role, under the same session's name; what tells them
    apart is the subject of the pool that they signed in to.
    """
    provider, signed_in, subject = str(
        identity.get("cognitoAuthenticationProvider") or ""
    ).rpartition(_SIGNED_IN)
    if signed_in:
        return f"cognito:{provider.rsplit(',', 1)[-1].rsplit('/', 1)[-1]}/{subject}"
    return str(identity.get("userArn") or "")


def _answer(request: ApiRequest, answer: Answer, logger: JsonLogger) -> ApiResponse:
    try:
        return answer(request)
    except RefusedError as refusal:
        return problem_response(refusal.problem, refusal.headers)
    except Exception as error:  # noqa: BLE001 - the API's boundary: logged, told to the caller
        logger.failure("request failed", error)
        detail = f"The request failed on our side. Quote {request.correlation_id} when you ask."
        return problem_response(problem(500, "internal-error", detail), {})
