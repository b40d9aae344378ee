"""Whether a JSON value is a valid parameter as it stands: a test of its shape, compiled once.

Nearly every request is, and a batch of records has thousands of values: one pass without a word
tells. What does not pass goes the long way, through `values` and `constraints`, which find out
what is wrong, or convert what travels in another form.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.model import Shape

from localcloud.constraints import compiled

Test = Callable[[Any], bool]


def is_plain(shape: Shape, value: Any) -> bool:
    """Return whether a value needs no conversion and violates nothing."""
    return _test(shape)(value)


@cache
def _test(shape: Shape) -> Test:
    return _TESTS.get(shape.type_name, _never)(shape)


def _never(_shape: Shape) -> Test:
    """Blobs, timestamps and documents are converted, so they are never plain."""
    return lambda _value: False


def _structure(shape: Shape) -> Test:
    if getattr(shape, "is_document_type", False):
        return _never(shape)
    required = tuple(shape.required_members)
    tests: dict[str, Test] = {
        name: _later(member)
        for name, member in shape.members.items()
        if member.serialization.get("name", name) == name
    }

    def test(value: Any) -> bool:
        if type(value) is not dict or not all(map(value.__contains__, required)):
            return False
        for name, item in value.items():
            passes = tests.get(name)
            if passes is None or not passes(item):
                return False
        return True

    return test


def _later(shape: Shape) -> Test:
    """Compile a part at its first use: a shape may contain itself."""
    if shape.type_name not in ("structure", "list", "map"):
        return _test(shape)

    def test(value: Any) -> bool:
        return _test(shape)(value)

    return test


def _list(shape: Shape) -> Test:
    within, member = _length(shape), _later(shape.member)
    return lambda value: type(value) is list and within(value) and all(map(member, value))


def _map(shape: Shape) -> Test:
    within, key, item = _length(shape), _later(shape.key), _later(shape.value)
    return lambda value: (
        type(value) is dict
        and within(value)
        and all(map(key, value))
        and all(map(item, value.values()))
    )


def _string(shape: Shape) -> Test:
    within, allowed = _length(shape), frozenset(shape.metadata.get("enum", ()))
    pattern = compiled(shape.metadata.get("pattern"))
    matches = pattern.fullmatch if pattern else _anything
    if allowed:
        return lambda value: (
            type(value) is str and value in allowed and within(value) and bool(matches(value))
        )
    return lambda value: type(value) is str and within(value) and bool(matches(value))


def _anything(_value: str) -> bool:
    return True


def _length(shape: Shape) -> Test:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")
    if high is None:
        return lambda value: len(value) >= low
    return lambda value: low <= len(value) <= high


def _number(*kinds: type) -> Callable[[Shape], Test]:
    def compile_(shape: Shape) -> Test:
        low = shape.metadata.get("min", float("-inf"))
        high = shape.metadata.get("max", float("inf"))
        return lambda value: type(value) in kinds and low <= value <= high

    return compile_


_TESTS: dict[str, Callable[[Shape], Test]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "boolean": lambda _shape: lambda value: type(value) is bool,
    "integer": _number(int),
    "long": _number(int),
    "float": _number(int, float),
    "double": _number(int, float),
}
