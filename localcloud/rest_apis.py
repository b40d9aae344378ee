"""API Gateway's stages as on AWS: refusals by IAM are gateway responses, and access is logged.

ministack answers a caller whose policies allow nothing with an error of its own form, and keeps a
stage's access log settings without writing any. A request has one id here, in the function's event,
in the gateway's answers and in the log.
"""

import contextvars
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import new_uuid, request_scope
from ministack.core.router import extract_access_key_id
from ministack.services import apigateway_v1, cloudwatch_logs

from localcloud.environment import REGION

LOG = logging.getLogger(__name__)
Answer = tuple[int, dict[str, Any], Any]
_DENIED = "AccessDeniedException"
_FORBIDDEN = 403
_VARIABLE = re.compile(r"\$context\.([A-Za-z.]+)")
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_STREAM = "access"


class Access(NamedTuple):
    """One request to a stage."""

    api_id: str
    stage: str
    path: str
    method: str
    headers: Mapping[str, str]
    request_id: str


_access: contextvars.ContextVar[Access | None] = contextvars.ContextVar("access", default=None)


def install() -> None:
    """Take over refusals, request ids and access logs."""
    errors = apigateway_v1._AUTHENTICATION_GATEWAY_ERRORS  # noqa: SLF001
    errors[_DENIED] = ("ACCESS_DENIED", _DENIED)
    app._enforce_execute_api = _refusing(app._enforce_execute_api)  # noqa: SLF001
    app._handle_execute_api_request = _logged(app._handle_execute_api_request)  # noqa: SLF001
    apigateway_v1.new_uuid = _request_id


def _request_id() -> str:
    access = _access.get()
    return access.request_id if access else new_uuid()


def _refusing(enforce: Callable[..., Answer | None]) -> Callable[..., Answer | None]:
    def enforce_execute_api(
        api_id: str,
        stage: str,
        method: str,
        path: str,
        headers: dict[str, Any],
        query: dict[str, Any],
        **options: Any,
    ) -> Answer | None:
        fault = _scope_fault(headers)
        if fault and _is_signed(api_id, stage, method, path):
            error = iam_evaluator.AuthError("SignatureDoesNotMatch", fault)
            refused: Answer | None = apigateway_v1.authentication_error_response(
                api_id, stage, error, headers, query
            )
            return refused
        denied = enforce(api_id, stage, method, path, headers, query, **options)
        message = _denial(denied) if denied else None
        if denied is None or message is None:
            return denied
        error = iam_evaluator.AuthError(_DENIED, message)
        return (
            apigateway_v1.authentication_error_response(api_id, stage, error, headers, query)
            or denied
        )

    return enforce_execute_api


def _is_signed(api_id: str, stage: str, method: str, path: str) -> bool:
    kind = apigateway_v1.method_authorization_type(api_id, stage, method, path)
    return bool(kind == "AWS_IAM")


def _scope_fault(headers: Mapping[str, str]) -> str | None:
    """Say what is wrong with the scope of a signature; ministack takes any service's."""
    found = _SCOPE.search(headers.get("authorization", ""))
    if found is None:
        return None
    if found["service"] != "execute-api":
        return "Credential should be scoped to correct service: 'execute-api'."
    if found["region"] != REGION:
        return f"Credential should be scoped to a valid region, not '{found['region']}'."
    return None


def _denial(answer: Answer) -> str | None:
    """Give the words of a refusal that has not gone through a gateway response."""
    status, _, body = answer
    if status != _FORBIDDEN:
        return None
    try:
        document = json.loads(body)
    except ValueError:
        return None
    said = document.get("Message") or document.get("message") if isinstance(document, dict) else ""
    return said if isinstance(said, str) and "is not authorized to perform" in said else None


def _logged(
    handle: Callable[..., Awaitable[Answer | None]],
) -> Callable[..., Awaitable[Answer | None]]:
    async def handle_execute_api_request(
        host: str,
        path: str,
        method: str,
        headers: dict[str, Any],
        body: bytes,
        query: dict[str, Any],
        **options: Any,
    ) -> Answer | None:
        parsed = app._parse_execute_api_url(host, path)  # noqa: SLF001
        if parsed is None:
            return await handle(host, path, method, headers, body, query, **options)
        api_id, stage, below = parsed
        token = _access.set(Access(api_id, stage, below, method, headers, new_uuid()))
        started = time.perf_counter()
        try:
            answer = await handle(host, path, method, headers, body, query, **options)
            if answer:
                _log(answer, query, time.perf_counter() - started)
        finally:
            _access.reset(token)
        return answer

    return handle_execute_api_request


def _log(answer: Answer, query: Mapping[str, Any], seconds: float) -> None:
    """Write the line that the stage's format asks for, where it names a log group."""
    access = _access.get()
    scope = apigateway_v1.find_api_scope(access.api_id) if access else None
    if access is None or scope is None:
        return
    with request_scope(*scope):
        stage = apigateway_v1.stages_for_api(access.api_id).get(access.stage) or {}
        settings = stage.get("accessLogSettings") or {}
        group = str(settings.get("destinationArn", "")).partition(":log-group:")[2].split(":")[0]
        if not group:
            return
        values = _values(access, answer, query, seconds)
        line = _VARIABLE.sub(lambda found: values.get(found[1], "-"), settings["format"])
        _write(group, line)


def _write(group: str, line: str) -> None:
    event = {"timestamp": int(time.time() * 1000), "message": line}
    request = {"logGroupName": group, "logStreamName": _STREAM}
    known = cloudwatch_logs._log_groups  # noqa: SLF001
    if group not in known:
        LOG.warning("access not logged: there is no log group %s", group)
        return
    if _STREAM not in known[group]["streams"]:
        cloudwatch_logs._create_log_stream(request)  # noqa: SLF001
    cloudwatch_logs._put_log_events({**request, "logEvents": [event]})  # noqa: SLF001


def _values(
    access: Access, answer: Answer, query: Mapping[str, Any], seconds: float
) -> dict[str, str]:
    status, headers, body = answer
    resource, _ = apigateway_v1._match_resource_tree(  # noqa: SLF001
        access.api_id, [part for part in access.path.split("/") if part]
    )
    caller = iam_evaluator.resolve_caller_identity(
        extract_access_key_id(dict(access.headers), dict(query))
    )
    session = (caller or {}).get("session") or {}
    milliseconds = str(round(seconds * 1000))
    told = {
        "requestId": access.request_id,
        "requestTime": datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "httpMethod": access.method,
        "resourcePath": (resource or {}).get("path"),
        "path": f"/{access.stage}{access.path}",
        "stage": access.stage,
        "status": str(status),
        "responseLatency": milliseconds,
        "responseLength": str(len(body)),
        "identity.userArn": (caller or {}).get("userArn"),
        "identity.cognitoAuthenticationProvider": session.get("_cognito_auth_provider"),
        "error.responseType": headers.get("x-amzn-ErrorType"),
    }
    return {name: json.dumps(value)[1:-1] for name, value in told.items() if value}
