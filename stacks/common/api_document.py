"""The API's OpenAPI document: completed with the use case's inputs, and asked about.

No module of CDK is imported here: documentation and tests read the document too.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lambdas.inference.contract import ApiLayer

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).with_name("openapi.yaml")
BLOCK = "Inference"
"""Whose API serves an operation that names no block."""
_METHODS = ("get", "post", "put", "patch", "delete")
_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
_KINDS = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "datetime": {
        "type": "string",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$",
    },
}
"""JSON Schema of each type that a use case's inputs know."""

Document = dict[str, Any]


class Operation(NamedTuple):
    """One operation of the document."""

    operation_id: str
    method: str
    path: str
    block: str
    groups: tuple[str, ...]
    rate: int | None
    """Requests a second; none: the stage's."""
    model: str | None
    """Component that its body is."""
    parameters: Mapping[str, bool]
    """As API Gateway writes them, and whether they are required."""


def platform_document() -> Document:
    """Read the document as it holds for every use case."""
    document: Document = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return document


def api_document(use_case: str) -> Document:
    """Read the document, with the use case's inputs as ``Instance``."""
    document = platform_document()
    inputs = yaml.safe_load(
        (REPOSITORY / "use_cases" / use_case / "inputs.yaml").read_text(encoding="utf-8")
    )
    document["components"]["schemas"]["Instance"].update(_instance(inputs["groups"]))
    return document


def operations(document: Document, block: str | None = None) -> Iterator[Operation]:
    """Give the operations of a block's API, or all of them."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                found = _operation(document, path, method, item[method])
                if block in (None, found.block):
                    yield found


def request_model(document: Document, name: str) -> Document:
    """Give a component as the draft 4 schema, complete in itself, that API Gateway takes."""
    schema = resolved(document, document["components"]["schemas"][name])
    return {"$schema": _DRAFT_4, **_plain(schema)}


def resolved(document: Document, node: Any) -> Any:
    """Put what references name in their place."""
    if isinstance(node, list):
        return [resolved(document, each) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return resolved(document, component(document, node["$ref"]))
    return {name: resolved(document, each) for name, each in node.items()}


def component(document: Document, reference: str) -> Any:
    """Find what a reference names."""
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return copy.deepcopy(found)


def _operation(document: Document, path: str, method: str, node: Document) -> Operation:
    parameters = [resolved(document, each) for each in node.get("parameters", [])]
    body = resolved_body(document, node)
    return Operation(
        operation_id=node["operationId"],
        method=method.upper(),
        path=path,
        block=node.get("x-block", BLOCK),
        groups=tuple(node["x-groups"]),
        rate=node.get("x-rate"),
        model=body.rsplit("/", 1)[-1] if body else None,
        parameters={_location(each): bool(each.get("required")) for each in parameters},
    )


def resolved_body(document: Document, node: Document) -> str | None:
    """Give the reference to the schema of an operation's JSON body."""
    if "requestBody" not in node:
        return None
    body = component(document, node["requestBody"]["$ref"])
    return str(body["content"]["application/json"]["schema"]["$ref"])


def _location(parameter: Document) -> str:
    place = {"query": "querystring"}.get(parameter["in"], parameter["in"])
    return f"method.request.{place}.{parameter['name']}"


def _plain(schema: Any) -> Any:
    """Leave what draft 4 knows; of what somebody else checks, its type alone."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "x-checked-by" in schema:
        return {"type": schema["type"]}
    left = {name: each for name, each in schema.items() if name not in _TOLD}
    if "properties" in left:
        named = {name: _plain(each) for name, each in left.pop("properties").items()}
        return {**_plain(left), "properties": named}
    return {name: _plain(each) for name, each in left.items()}


_TOLD = ("title", "description", "default", "examples")
"""What people read, and API Gateway does not."""


def _instance(groups: Mapping[str, Mapping[str, Document]]) -> Document:
    first = next(iter(groups))
    return {
        "additionalProperties": False,
        "required": [first],
        "properties": {
            name: _group(fields, optional=name != first) for name, fields in groups.items()
        },
    }


def _group(fields: Mapping[str, Document], *, optional: bool) -> Document:
    return {
        "type": ["object", "null"] if optional else "object",
        "additionalProperties": False,
        "required": [name for name, field in fields.items() if not field.get("nullable")],
        "properties": {name: _field(field) for name, field in fields.items()},
    }


def _field(field: Document) -> Document:
    schema: Document = {"description": field["description"], **_KINDS[field["type"]]}
    if "range" in field:
        schema["minimum"], schema["maximum"] = field["range"]
    if "allowed" in field:
        schema["enum"] = list(field["allowed"])
    if field.get("nullable"):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"].append(None)
    return schema


def layer_files(document: Document) -> dict[str, str]:
    """Write what the functions get: the document, and the schemas of its bodies."""
    schemas = {
        each.model: resolved(document, document["components"]["schemas"][each.model])
        for each in operations(document)
        if each.model
    }
    return {
        ApiLayer.DOCUMENT: json.dumps(document, sort_keys=True),
        ApiLayer.SCHEMAS: json.dumps(schemas, sort_keys=True),
    }
