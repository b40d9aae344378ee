"""What API Gateway itself answers: problem documents, with the status that fits the fault."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from aws_cdk import aws_apigateway as apigateway

from pipeline_code.inference.contract import PROBLEM_JSON

_RETRY = {"Retry-After": "'1'"}
_SIGN = {"WWW-Authenticate": "'AWS4-HMAC-SHA256'"}
_KIND = apigateway.ResponseType
_REFUSALS: tuple[tuple[str, apigateway.ResponseType, HTTPStatus, Mapping[str, str]], ...] = (
    ("Unsigned", _KIND.MISSING_AUTHENTICATION_TOKEN, HTTPStatus.UNAUTHORIZED, _SIGN),
    ("Forged", _KIND.INVALID_SIGNATURE, HTTPStatus.UNAUTHORIZED, _SIGN),
    ("Expired", _KIND.EXPIRED_TOKEN, HTTPStatus.UNAUTHORIZED, _SIGN),
    ("Unauthorized", _KIND.UNAUTHORIZED, HTTPStatus.UNAUTHORIZED, _SIGN),
    ("Unknown", _KIND.DEFAULT_4_XX, HTTPStatus.UNAUTHORIZED, _SIGN),
    ("Forbidden", _KIND.ACCESS_DENIED, HTTPStatus.FORBIDDEN, {}),
    ("WithoutKey", _KIND.INVALID_API_KEY, HTTPStatus.FORBIDDEN, {}),
    ("BadBody", _KIND.BAD_REQUEST_BODY, HTTPStatus.BAD_REQUEST, {}),
    ("BadParameters", _KIND.BAD_REQUEST_PARAMETERS, HTTPStatus.BAD_REQUEST, {}),
    ("UnknownPath", _KIND.RESOURCE_NOT_FOUND, HTTPStatus.NOT_FOUND, {}),
    ("TooLarge", _KIND.REQUEST_TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {}),
    ("WrongMediaType", _KIND.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {}),
    ("TooMany", _KIND.THROTTLED, HTTPStatus.TOO_MANY_REQUESTS, _RETRY),
    ("QuotaUsed", _KIND.QUOTA_EXCEEDED, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "'3600'"}),
    ("FailedRequest", _KIND.DEFAULT_5_XX, HTTPStatus.INTERNAL_SERVER_ERROR, {}),
    ("NoAnswer", _KIND.INTEGRATION_FAILURE, HTTPStatus.GATEWAY_TIMEOUT, {}),
    ("LateAnswer", _KIND.INTEGRATION_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT, {}),
)
"""With all of AWS's types for callers it does not know named, what is left of the refusals as
`DEFAULT_4XX` is about credentials too: keys that do not exist, signatures that are incomplete."""


def answer_with_problems(api: apigateway.RestApi) -> None:
    """Give what API Gateway refuses the same form as every other error."""
    for construct_id, kind, status, headers in _REFUSALS:
        api.add_gateway_response(
            construct_id,
            type=kind,
            status_code=str(status.value),
            response_headers={
                "Content-Type": f"'{PROBLEM_JSON}'",
                "X-Correlation-Id": "context.requestId",
                **headers,
            },
            templates={"application/json": _problem(status, _DETAILS)},
        )


_DETAILS: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "See the operation's parameters and body in /openapi.json.",
    HTTPStatus.UNAUTHORIZED: "Sign the request (SigV4, execute-api) with credentials that last.",
}


def _problem(status: HTTPStatus, details: Mapping[HTTPStatus, str]) -> str:
    """Give a problem document's template; in it API Gateway knows no status of its own."""
    advice = f',"advice":"{details[status]}"' if status in details else ""
    return (
        f'{{"type":"about:blank","title":"{status.phrase}","status":{status.value},'
        f'"detail":$context.error.messageString{advice}}}'
    )
