"""Writes `docs/api.md` from the API's document: `python -m stacks.common.api_page`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stacks.common.api_document import (
    REPOSITORY,
    Document,
    component,
    operations,
    platform_document,
    resolved,
)

PAGE = REPOSITORY / "docs" / "api.md"
_INTRODUCTION = """# API

Made from `stacks/common/openapi.yaml` by `python -m stacks.common.api_page`; do not edit.
`GET /openapi.json` serves the document, with the fields of the use case's instances.

{description}

| Status | When |
|---|---|
"""


def page(document: Document) -> str:
    """Write the whole page."""
    description = " ".join(document["info"]["description"].split())
    lines = [_INTRODUCTION.format(description=description).rstrip("\n")]
    lines += [f"| {status} | {said} |" for status, said in _refusals(document)]
    for operation in operations(document):
        node = document["paths"][operation.path][operation.method.lower()]
        lines += ["", f"## {operation.method} {operation.path}", "", node["summary"]]
        lines += [node["description"]] if "description" in node else []
        rate = f" At most {operation.rate} requests a second." if operation.rate else ""
        lines += ["", f"For {', '.join(operation.groups)}.{rate}"]
        lines += _parameters(document, node)
        lines += _body(document, operation.model) if operation.model else []
        lines += _answers(document, node)
    return "\n".join(lines) + "\n"


def _refusals(document: Document) -> Iterator[tuple[str, str]]:
    """Say each status above 399 once, in its order."""
    told = {
        status: component(document, answer["$ref"])["description"]
        for item in document["paths"].values()
        for node in item.values()
        if isinstance(node, dict)
        for status, answer in node.get("responses", {}).items()
        if status >= "400"
    }
    yield from sorted(told.items())


def _parameters(document: Document, node: Document) -> list[str]:
    found = [resolved(document, each) for each in node.get("parameters", [])]
    own = [each for each in found if each["in"] != "header"]
    if not own:
        return []
    rows = [
        f"| `{each['name']}` | {each['in']} | {_kind(each['schema'])} | "
        f"{each.get('description', '')} |"
        for each in own
    ]
    return ["", "| Parameter | In | Is | |", "|---|---|---|---|", *rows]


def _body(document: Document, model: str) -> list[str]:
    schema = resolved(document, document["components"]["schemas"][model])
    lines = []
    for each in schema.get("oneOf", [schema]):
        lines += ["", f"Body, {each['title']}:", "", *_fields(each)]
    return lines


def _answers(document: Document, node: Document) -> list[str]:
    lines = []
    for status, answer in node["responses"].items():
        if status < "400":
            found = resolved(document, component(document, answer["$ref"]))
            schema = found["content"]["application/json"]["schema"]
            lines += ["", f"{status}: {found['description']}"]
            lines += ["", *_fields(schema)] if "properties" in schema else []
    return lines


def _fields(schema: Document) -> list[str]:
    required = schema.get("required", [])
    rows = [
        f"| `{name}`{'' if name in required else ' (optional)'} | {_kind(each)} | "
        f"{each.get('description', '')} |"
        for name, each in schema["properties"].items()
    ]
    return ["| Field | Is | |", "|---|---|---|", *rows]


def _kind(schema: Document) -> str:
    """Say in words what a value is."""
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(each)}`" for each in schema["enum"])
    if "oneOf" in schema:
        return " or ".join(_kind(each) for each in schema["oneOf"])
    if "title" in schema:
        return str(schema["title"])
    kinds = schema.get("type", "anything")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    return _composite(kind, schema)


def _composite(kind: str, schema: dict[str, Any]) -> str:
    """Name what lists and objects hold."""
    if "items" in schema and "properties" in schema["items"]:
        return f"{kind} of objects with " + ", ".join(
            f"`{n}`" for n in schema["items"]["properties"]
        )
    if "items" in schema:
        return f"{kind} of {_kind(schema['items'])}"
    if "properties" in schema:
        return f"{kind} with " + ", ".join(f"`{name}`" for name in schema["properties"])
    return kind


if __name__ == "__main__":
    PAGE.write_text(page(platform_document()), encoding="utf-8")
