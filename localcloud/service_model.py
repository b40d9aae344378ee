"""Requests by AWS's own description of each service: botocore's service models.

`parse` turns an HTTP request into an operation's parameters and refuses what AWS would refuse.
Protocols: json and rest-json, which is what every service that plugs in here speaks.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape

from localcloud.constraints import violations
from localcloud.plain_values import is_plain
from localcloud.registry import ServiceError
from localcloud.values import decode

_PLACEHOLDER = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True)
class HttpRequest:
    """What arrived: header names are lower case, query values are lists."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""


@cache
def service_model(service: str) -> ServiceModel:
    """Load botocore's model of a service, for example `sagemaker-runtime`."""
    return botocore.session.get_session().get_service_model(service)


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Return (HTTP method, path pattern, operation) of a rest-json service, longest path first."""
    model = service_model(service)
    operations = [model.operation_model(name) for name in model.operation_names]
    operations.sort(key=lambda operation: -len(operation.http["requestUri"]))
    return [
        (each.http["method"], _pattern(each.http["requestUri"]), each.name) for each in operations
    ]


def _pattern(uri: str) -> re.Pattern[str]:
    parts = _PLACEHOLDER.split(uri.split("?", 1)[0])
    pattern = "".join(
        re.escape(text) + (f"(?P<{name}>{_extent(name, greedy)})" if name else "")
        for text, name, greedy in zip(
            parts[0::3], [*parts[1::3], ""], [*parts[2::3], ""], strict=True
        )
    )
    return re.compile(f"^{pattern}/?$")


def _extent(name: str, greedy: str) -> str:
    """Return what a placeholder matches; an ARN, whose slashes arrive decoded, may hold slashes."""
    return ".+" if greedy or name.lower() == "resourcearn" else "[^/]+"


def find_operation(models: Sequence[str], request: HttpRequest) -> OperationModel:
    """Return the operation that a request asks for, or refuse it by name."""
    target = request.headers.get("x-amz-target", "")
    for service in models:
        if name := _operation_name(service, target, request):
            return service_model(service).operation_model(name)
    asked = target or f"{request.method} {request.path}"
    raise ServiceError(
        "UnknownOperationException", f"{asked} is no operation of {', '.join(models)}"
    )


def _operation_name(service: str, target: str, request: HttpRequest) -> str | None:
    model = service_model(service)
    if model.protocol == "json":
        prefix, _, name = target.rpartition(".")
        known = prefix == model.metadata.get("targetPrefix") and name in model.operation_names
        return name if known else None
    if target:
        return None
    matching = (
        name
        for method, pattern, name in _routes(service)
        if method == request.method and pattern.match(request.path)
    )
    return next(matching, None)


def parse(operation: OperationModel, request: HttpRequest) -> dict[str, Any]:
    """Return the validated parameters of a request; ValidationException names every violation."""
    shape = operation.input_shape
    if shape is None:
        return {}
    problems: list[str] = []
    if operation.service_model.protocol == "json":
        raw = _json_object(request.body)
    else:
        raw = _rest_parameters(operation, request)
    if is_plain(shape, raw):
        return raw
    parameters = decode(shape, raw, problems)
    problems = problems or violations(shape, parameters)
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise ServiceError("ValidationException", count + "; ".join(problems))
    return dict(parameters)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ServiceError("SerializationException", "The body is not a JSON object")
    return value


def _rest_parameters(operation: OperationModel, request: HttpRequest) -> dict[str, Any]:
    shape = operation.input_shape
    match = _pattern(operation.http["requestUri"]).match(request.path)
    path = {key: unquote(value) for key, value in (match.groupdict() if match else {}).items()}
    payload = shape.serialization.get("payload")
    raw: dict[str, Any] = {}
    if payload is None and request.body:
        raw.update(_json_object(request.body))
    for name, member in shape.members.items():
        value = (
            _payload(member, request.body)
            if name == payload
            else _placed(member, name, path, request)
        )
        if value is not None:
            raw[name] = value
    return raw


def _payload(member: Shape, body: bytes) -> Any:
    if member.type_name == "blob":
        return base64.b64encode(body).decode() if body else None
    return _json_object(body) if body else None


def _placed(member: Shape, name: str, path: Mapping[str, str], request: HttpRequest) -> Any:
    """Read a member that travels in the path, a header or the query string."""
    where = member.serialization.get("location")
    wire = member.serialization.get("name", name)
    if where == "uri":
        return _typed(member, path.get(wire))
    if where == "header":
        return _typed(member, request.headers.get(wire.lower()))
    if where == "querystring":
        values = request.query.get(wire)
        listed = values if isinstance(values, list) or values is None else [values]
        return listed if member.type_name == "list" else _typed(member, (listed or [None])[0])
    return None


def _typed(member: Shape, text: str | None) -> Any:
    """Convert the text of a path, header or query member as far as its type asks."""
    if text is None or member.type_name not in {"integer", "long", "boolean"}:
        return text
    if member.type_name == "boolean":
        return text.lower() == "true"
    return int(text) if re.fullmatch(r"-?\d+", text) else text
