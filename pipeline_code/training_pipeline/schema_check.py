"""Checks a document against a JSON Schema and says what is wrong in one sentence a person can use.

It knows the keywords that our schema uses; a test holds its judgement against the reference
implementation's. Standard library only: functions check with it too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]


class Fault(NamedTuple):
    """One wrong field: its path, its value, and what it must be."""

    field: str
    value: object
    allowed: str


def faults(value: object, schema: Schema, path: str = "") -> Iterator[Fault]:
    """Find what is wrong, in the document's order."""
    if "oneOf" in schema:
        yield from _branch_faults(value, schema, path)
    elif not _fits(value, schema):
        yield Fault(path or "the document", value, allowed(schema))
    elif isinstance(value, dict):
        yield from _mapping_faults(value, schema, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from faults(item, schema["items"], f"{path}[{index}]")


def allowed(schema: Schema) -> str:
    """Say what a value must be."""
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return f"one of {schema['enum']}"
    if "minimum" in schema:
        kind = "a whole number" if schema["type"] == "integer" else "a number"
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    return str(schema.get("title", "a mapping"))


def _branch_faults(value: object, schema: Schema, path: str) -> Iterator[Fault]:
    """Judge a mapping by the branch whose key it has, so that the fault is inside of it."""
    for branch in schema["oneOf"]:
        keys = branch.get("properties", {}).keys()
        if isinstance(value, dict) and keys & value.keys():
            yield from faults(value, branch, path)
            return
        if not any(faults(value, branch, path)):
            return
    yield Fault(path, value, allowed(schema))


def _mapping_faults(value: dict[Any, Any], schema: Schema, path: str) -> Iterator[Fault]:
    known: Mapping[str, Schema] = schema.get("properties", {})
    others = schema.get("additionalProperties", False)
    for name, item in value.items():
        field = f"{path}.{name}" if path else str(name)
        if name in known:
            yield from faults(item, known[name], field)
        elif isinstance(others, Mapping):
            yield from faults(item, others, field)
        else:
            yield Fault(field, item, f"one of {list(known)}")
    for name in schema.get("required", []):
        if name not in value:
            yield Fault(f"{path}.{name}" if path else name, None, allowed(known[name]))


def _fits(value: object, schema: Schema) -> bool:
    if "const" in schema:
        return value == schema["const"] and not isinstance(value, bool)
    if "enum" in schema:
        return value in schema["enum"]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return any(_CHECKS[kind](value, schema) for kind in kinds)


def _is_number(value: object, schema: Schema) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))


def _is_integer(value: object, schema: Schema) -> bool:
    return isinstance(value, int) and _is_number(value, schema)


def _is_text(value: object, schema: Schema) -> bool:
    if not isinstance(value, str) or not re.search(schema.get("pattern", ""), value):
        return False
    return bool(schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)))


def _is_list(value: object, schema: Schema) -> bool:
    if not isinstance(value, list):
        return False
    if not schema["minItems"] <= len(value) <= schema.get("maxItems", len(value)):
        return False
    return not schema.get("uniqueItems") or len({repr(item) for item in value}) == len(value)


_CHECKS: Mapping[str, Callable[[object, Schema], bool]] = {
    "object": lambda value, _schema: isinstance(value, dict),
    "array": _is_list,
    "string": _is_text,
    "integer": _is_integer,
    "number": _is_number,
    "boolean": lambda value, _schema: isinstance(value, bool),
}
