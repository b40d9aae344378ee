"""Answers by AWS's own description of each service: what a handler returns, as its protocol has it.

Protocols: json and rest-json, which is what every service that plugs in here speaks.
"""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel, ServiceModel, Shape

from localcloud.registry import ServiceError
from localcloud.values import encode


@dataclass(frozen=True)
class HttpAnswer:
    """What is sent back."""

    status: int
    headers: dict[str, str]
    body: bytes


def serialise(operation: OperationModel, result: Mapping[str, Any]) -> HttpAnswer:
    """Return the HTTP answer of a result; a member unknown to the shape is an error."""
    shape = operation.output_shape
    rest = operation.service_model.protocol != "json"
    headers = {"Content-Type": _content_type(operation.service_model)}
    if shape is None:
        return HttpAnswer(200, headers, b"" if rest else b"{}")
    if not rest:
        return HttpAnswer(200, headers, json.dumps(encode(shape, result)).encode())
    return _rest_answer(operation, shape, result, headers)


def _rest_answer(
    operation: OperationModel, shape: Shape, result: Mapping[str, Any], headers: dict[str, str]
) -> HttpAnswer:
    status = operation.http.get("responseCode", 200)
    payload = shape.serialization.get("payload")
    body: dict[str, Any] = {}
    for name, value in result.items():
        member = shape.members[name]
        if member.serialization.get("location") == "header" and value is not None:
            headers[member.serialization["name"]] = str(value)
        elif name != payload and value is not None:
            body[name] = value
    if payload and shape.members[payload].type_name == "blob":
        return HttpAnswer(status, headers, result.get(payload) or b"")
    if payload:
        content = encode(shape.members[payload], result.get(payload) or {})
    else:
        content = encode(shape, body)
    return HttpAnswer(status, headers, json.dumps(content).encode())


def serialise_error(model: ServiceModel, error: ServiceError) -> HttpAnswer:
    """Return the HTTP answer of an error, as the service's protocol words it."""
    headers = {"Content-Type": _content_type(model), "x-amzn-ErrorType": error.code}
    body = {"__type": error.code, "message": error.message, **error.fields}
    return HttpAnswer(error.status, headers, json.dumps(body, default=_plain).encode())


def _plain(value: object) -> Any:
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _content_type(model: ServiceModel) -> str:
    if model.protocol == "json":
        return f"application/x-amz-json-{model.metadata.get('jsonVersion', '1.1')}"
    return "application/json"
