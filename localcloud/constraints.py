"""The constraints of a botocore shape: required members, lengths, ranges, patterns and enums.

The wording follows AWS, so that a message found on the web fits the one seen here.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import Shape

_SIZED = {"string", "list", "map", "blob"}
_NUMERIC = {"integer", "long", "float", "double"}


def violations(shape: Shape, value: Any) -> list[str]:
    """Return a sentence for every constraint that a decoded value violates."""
    return list(_check(shape, value, ""))


def _check(shape: Shape, value: Any, at: str) -> Iterator[str]:
    yield from _own(shape, value, at)
    if shape.type_name == "structure":
        yield from _structure(shape, value, at)
    elif shape.type_name == "list":
        for number, item in enumerate(value, start=1):
            yield from _check(shape.member, item, f"{at}.{number}.member")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _check(shape.key, key, f"{at}.{key}")
            yield from _check(shape.value, item, f"{at}.{key}")


def _structure(shape: Shape, value: Mapping[str, Any], at: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            where = f"{at}.{name}" if at else name
            yield f"Value at '{where}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        if name in shape.members:
            yield from _check(shape.members[name], item, f"{at}.{name}" if at else name)


def _own(shape: Shape, value: Any, at: str) -> Iterator[str]:
    prefix = f"Value {_shown(value)} at '{at}' failed to satisfy constraint: Member must"
    for broken in _broken(shape, value):
        yield f"{prefix} {broken}"


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name in _SIZED:
        yield from _outside(len(value), low, high, "have length")
    elif shape.type_name in _NUMERIC:
        yield from _outside(value, low, high, "have value")
    if shape.type_name == "string":
        yield from _text(shape, value)


def _outside(size: float, low: float | None, high: float | None, what: str) -> Iterator[str]:
    if low is not None and size < low:
        yield f"{what} greater than or equal to {low}"
    if high is not None and size > high:
        yield f"{what} less than or equal to {high}"


def _text(shape: Shape, value: str) -> Iterator[str]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"satisfy enum value set: [{', '.join(allowed)}]"
    pattern = shape.metadata.get("pattern")
    regular = compiled(pattern)
    if regular and not regular.fullmatch(value):
        yield f"satisfy regular expression pattern: {pattern}"


@cache
def compiled(pattern: str | None) -> re.Pattern[str] | None:
    """Compile a pattern of Java's dialect; the few that Python cannot read are not checked."""
    if pattern is None:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _shown(value: Any) -> str:
    text = f"'{value}'"
    return text if len(text) <= 200 else f"{text[:197]}…'"  # noqa: PLR2004  a readable line
