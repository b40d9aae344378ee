"""Checks a request against the use case's inputs and names everything that is wrong with it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pipeline_code.inference.contract import MAX_INSTANCES
from pipeline_code.use_case import Field

Inputs = Mapping[str, Mapping[str, Field]]
Instance = dict[str, dict[str, object] | None]
FieldError = dict[str, str]

MAX_ERRORS = 50
MAX_VALUE_CHARACTERS = 80
DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")


class BadRequestError(ValueError):
    """The request cannot be answered; ``errors`` holds one entry a bad field."""

    def __init__(self, detail: str, errors: list[FieldError] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []


def parse_request(body: bytes, inputs: Inputs) -> list[Instance]:
    """Read the instances of a JSON body; the first group of ``inputs`` is required."""
    document = parse_json(body)
    if not isinstance(document, dict):
        raise BadRequestError("The body must be a JSON object.", [_error("", document, "object")])
    instances = document.get("instances")
    if not isinstance(instances, list) or not 1 <= len(instances) <= MAX_INSTANCES:
        allowed = f"a list of 1 to {MAX_INSTANCES} instances"
        shown = f"{len(instances)} instances" if isinstance(instances, list) else instances
        raise BadRequestError("The instances are wrong.", [_error("/instances", shown, allowed)])
    errors = [_error(f"/{name}", value, "nothing: only `instances` is known")
              for name, value in document.items() if name != "instances"]  # fmt: skip
    return checked_instances(instances, inputs, errors)


def checked_instances(
    instances: list[Any], inputs: Inputs, errors: Sequence[FieldError] = ()
) -> list[Instance]:
    """Name what is wrong with instances, and the errors found before; or give them back."""
    errors = list(errors)
    for index, instance in enumerate(instances):
        if len(errors) < MAX_ERRORS:
            errors.extend(_instance_errors(instance, f"/instances/{index}", inputs))
    if errors:
        count = "One value is" if len(errors) == 1 else f"{len(errors)} values are"
        raise BadRequestError(f"{count} wrong.", errors[:MAX_ERRORS])
    return instances


def parse_json(text: bytes, what: str = "The body") -> Any:
    """Read JSON; ``what`` it is, is said when it is none."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise BadRequestError(f"{what} is nested too deeply.") from error
    except ValueError as error:
        raise BadRequestError(f"{what} is not JSON: {error}") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _instance_errors(instance: object, pointer: str, inputs: Inputs) -> Iterator[FieldError]:
    if not isinstance(instance, dict):
        yield _error(pointer, instance, f"an object with the groups {list(inputs)}")
        return
    for name in instance:
        if name not in inputs:
            allowed = f"one of the groups {list(inputs)}"
            yield _error(f"{pointer}/{_escape(name)}", instance[name], allowed)
    for position, (name, fields) in enumerate(inputs.items()):
        group = instance.get(name)
        if group is not None or position == 0:
            yield from _group_errors(group, f"{pointer}/{name}", fields)


def _group_errors(group: object, pointer: str, fields: Mapping[str, Field]) -> Iterator[FieldError]:
    if not isinstance(group, dict):
        yield _error(pointer, group, "an object with this group's values")
        return
    for name in group:
        if name not in fields:
            yield _error(f"{pointer}/{_escape(name)}", group[name], "nothing: it is unknown")
    for name, field in fields.items():
        value = group.get(name)
        if not _is_right(value, field):
            yield _error(f"{pointer}/{name}", value, _allowed(field))


def _is_right(value: object, field: Field) -> bool:
    return field.nullable if value is None else CHECKS[field.type](value, field)


def _is_number(value: object, field: Field) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool) or not _is_finite(value):
        return False
    return (field.minimum is None or value >= field.minimum) and (
        field.maximum is None or value <= field.maximum
    )


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _is_integer(value: object, field: Field) -> bool:
    return _is_number(value, field) and float(value) == int(value)  # type: ignore[call-overload,arg-type]


def _is_text(value: object, field: Field) -> bool:
    return isinstance(value, str) and (not field.allowed or value in field.allowed)


def _is_datetime(value: object, field: Field) -> bool:
    del field
    if not isinstance(value, str) or not DATETIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


CHECKS = {
    "number": _is_number,
    "integer": _is_integer,
    "string": _is_text,
    "datetime": _is_datetime,
}


def _allowed(field: Field) -> str:
    kinds = {
        "number": "a number",
        "integer": "a whole number",
        "string": "a text",
        "datetime": "a local date and time as YYYY-MM-DDTHH:MM",
    }
    text = kinds[field.type]
    if field.allowed:
        text = "one of " + ", ".join(field.allowed)
    if field.minimum is not None:
        text += f" from {field.minimum} to {field.maximum}"
    return text + (" or null" if field.nullable else "")


def _error(pointer: str, value: object, allowed: str) -> FieldError:
    shown = json.dumps(value)
    if len(shown) > MAX_VALUE_CHARACTERS:
        shown = shown[:MAX_VALUE_CHARACTERS] + "…"
    return {"pointer": pointer, "value": shown, "allowed": allowed}


def _escape(name: str) -> str:
    return name[:MAX_VALUE_CHARACTERS].replace("~", "~0").replace("/", "~1")
