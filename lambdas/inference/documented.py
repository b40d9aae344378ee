"""The API's OpenAPI document inside of a function: what it says of paths, and of bodies.

The document lies in a layer, beside the schemas of the bodies with all references resolved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from lambdas.common.api import ApiRequest
from lambdas.common.api_body import read_document
from lambdas.common.refusals import RefusedError
from lambdas.inference.contract import ApiLayer
from pipeline_code.training_pipeline.schema_check import Fault, faults

_MAX_FAULTS = 50
_SHOWN_CHARACTERS = 80


@cache
def document() -> Mapping[str, Any]:
    """Read the document as it is served."""
    return _read(ApiLayer.DOCUMENT)


@cache
def _schemas() -> Mapping[str, Any]:
    return _read(ApiLayer.SCHEMAS)


def _read(name: str) -> Mapping[str, Any]:
    text = files(ApiLayer.PACKAGE).joinpath(name).read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


def read_body(request: ApiRequest, component: str) -> Any:
    """Read a request's body; what is not as the component says is refused, field by field."""
    body = read_document(request)
    check(body, _schemas()[component])
    return body


def check(body: object, schema: Mapping[str, Any]) -> None:
    """Refuse what a schema does not allow."""
    found = [fault for fault, _ in zip(faults(body, schema), range(_MAX_FAULTS), strict=False)]
    if found:
        raise RefusedError(
            400,
            "invalid-request",
            f"{found[0].field} is not as allowed."
            if len(found) == 1
            else f"{len(found)} fields are not as allowed.",
            errors=[_error(fault) for fault in found],
        )


def _error(fault: Fault) -> dict[str, str]:
    pointer = "" if fault.field == "the document" else "/" + fault.field.replace("[", ".")
    return {
        "pointer": pointer.replace("]", "").replace(".", "/"),
        "value": json.dumps(fault.value)[:_SHOWN_CHARACTERS],
        "allowed": fault.allowed,
    }


def refuse_unknown(request: ApiRequest, paths: Mapping[str, Any]) -> RefusedError:
    """Say that there is no such path, or which methods it has."""
    methods = sorted(name.upper() for name in paths.get(request.resource, {}) if name in _METHODS)
    if not methods:
        detail = f"There is nothing at {request.path[:_SHOWN_CHARACTERS]}; see /openapi.json."
        return RefusedError(404, "unknown-path", detail)
    allowed = ", ".join(methods)
    detail = f"{request.method} is not possible at {request.resource}; {allowed} is."
    return RefusedError(405, "method-not-allowed", detail, headers={"Allow": allowed})


_METHODS = {"get", "post", "put", "patch", "delete"}
