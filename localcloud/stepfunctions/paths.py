"""Paths into a state's data as AWS reads them: a path that finds nothing ends the execution.

ministack reads it as null and goes on, so that a misspelt path would be found on AWS only. AWS
ends the execution with States.Runtime, which no Retry and no Catch applies to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import stepfunctions as ministack

_TERMINAL = frozenset({"States.Runtime", "States.DataLimitExceeded"})
_SHOWN = 1000


def install() -> None:
    """Put this in the place of what ministack reads."""
    evaluate: Callable[..., bool] = ministack._evaluate_rule  # noqa: SLF001
    matches: Callable[..., bool] = ministack._error_matches  # noqa: SLF001

    def evaluate_rule(rule: Any, data: Any, context: Any = None) -> bool:
        if "IsPresent" not in rule:
            return evaluate(rule, data, context)
        return is_present(rule["Variable"], data, context) is rule["IsPresent"]

    def error_matches(error_equals: Any, error: str) -> bool:
        return error not in _TERMINAL and matches(error_equals, error)

    ministack._resolve_path = resolve  # noqa: SLF001
    ministack._evaluate_rule = evaluate_rule  # noqa: SLF001
    ministack._error_matches = error_matches  # noqa: SLF001


def is_present(path: str, data: Any, context: Any) -> bool:
    """Tell whether a path finds something, be it null."""
    whole, own = (context, path[1:]) if path.startswith("$$.") else (data, path)
    return bool(_found(own, whole))


def resolve(path: str, data: Any) -> Any:
    """Return what a path finds: one value, or a list where it asks for many."""
    if path == "$" or not path.startswith("$"):
        return data
    values = _found(path, data)
    if any(kind == "wildcard" for kind, _ in _tokens(path)):
        return values
    if not values:
        shown = json.dumps(data)[:_SHOWN]
        message = f"The JSONPath '{path}' could not be found in the input '{shown}'"
        raise ministack._ExecutionError("States.Runtime", message)  # noqa: SLF001
    return values[0]


def _found(path: str, data: Any) -> list[Any]:
    values = [data]
    for kind, key in _tokens(path):
        values = [value for each in values for value in _step(kind, key, each)]
    return values


def _tokens(path: str) -> list[tuple[str, Any]]:
    tokens: list[tuple[str, Any]] | None = ministack._parse_jsonpath_tokens(path)  # noqa: SLF001
    if tokens is None:
        message = f"The embedded AWS does not support the JSONPath '{path}'"
        raise ministack._ExecutionError("States.Runtime", message)  # noqa: SLF001
    return tokens


def _step(kind: str, key: Any, value: Any) -> Iterator[Any]:
    """Go one step along a path."""
    if kind == "wildcard":
        every = value.values() if isinstance(value, dict) else value
        yield from every if isinstance(value, dict | list) else ()
    elif kind == "index":
        yield from value[key : key + 1] if isinstance(value, list) else ()
    elif isinstance(value, dict) and key in value:
        yield value[key]
