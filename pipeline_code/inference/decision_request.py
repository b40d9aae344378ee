"""A request for decisions: its shape checked, every fault named."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from pipeline_code.inference.decision_policy import Policy

FieldError = dict[str, str]
MAX_ERRORS = 50
_SHOWN = 80
MAX_ID_CHARACTERS = 256
FIELDS = ("predictions", "later", "remaining")


class Item(TypedDict):
    """One entity; one that is ``later`` has no probability yet, and gets no action now."""

    entity_id: str
    instance: dict[str, Any]
    probability: NotRequired[float]
    prediction_id: NotRequired[str]
    action: NotRequired[str]
    """What is done about it already, or shall be in any case."""


class DecisionRequest(TypedDict):
    """Body of ``POST /decisions``, once predictions that were named by their ids are filled in."""

    predictions: list[Item]
    later: NotRequired[list[Item]]
    remaining: NotRequired[dict[str, float]]
    """What is left of limits, by their names or by single keys; else what is declared."""


class BadDecisionRequestError(ValueError):
    """The request cannot be decided; ``errors`` holds one entry a bad field."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        first = errors[0]
        super().__init__(f"{first['pointer']} is {first['value']}, must be {first['allowed']}")
        self.errors = list(errors)


def check_request(document: Any, policy: Policy) -> DecisionRequest:
    """Give the request; raises ``BadDecisionRequestError``."""
    errors = []
    for error in _errors(document, policy):
        errors.append(error)
        if len(errors) == MAX_ERRORS:
            break
    if errors:
        raise BadDecisionRequestError(errors)
    checked: DecisionRequest = document
    return checked


def _errors(document: Any, policy: Policy) -> Iterator[FieldError]:
    if not isinstance(document, dict):
        yield _error("", document, 'an object {"predictions": [...]}')
        return
    yield from _unknown("", document, FIELDS)
    if "predictions" not in document:
        yield _error("/predictions", None, "a list; an empty one decides nothing")
    lists = {name: document.get(name, []) for name in ("predictions", "later")}
    for name, items in lists.items():
        yield from _list_errors(name, items, policy)
    yield from _twice(lists)
    yield from _remaining_errors(document.get("remaining", {}), policy)


def _list_errors(name: str, items: Any, policy: Policy) -> Iterator[FieldError]:
    if not isinstance(items, list):
        yield _error(f"/{name}", items, "a list")
        return
    checks = CHECKS if name == "predictions" else LATER_CHECKS
    for index, item in enumerate(items):
        if isinstance(item, dict):
            yield from _item_errors(f"/{name}/{index}", item, checks, policy)
        else:
            yield _error(f"/{name}/{index}", item, "an object")


def _item_errors(
    pointer: str, item: dict[str, Any], checks: Mapping[str, Check], policy: Policy
) -> Iterator[FieldError]:
    for field, (check, allowed) in checks.items():
        if not check(item.get(field), policy):
            yield _error(f"{pointer}/{field}", item.get(field), allowed(policy))
    yield from _unknown(pointer, item, checks)


def _unknown(
    pointer: str, document: Mapping[str, Any], known: Container[str]
) -> Iterator[FieldError]:
    for name, value in document.items():
        if name not in known:
            yield _error(f"{pointer}/{name[:_SHOWN]}", value, "absent: it is unknown")


def _twice(lists: Mapping[str, Any]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for name, items in lists.items():
        for index, item in enumerate(items if isinstance(items, list) else []):
            entity = item.get("entity_id") if isinstance(item, dict) else None
            if not isinstance(entity, str):
                continue
            if entity in seen:
                allowed = "named once: two decisions about one entity contradict each other"
                yield _error(f"/{name}/{index}/entity_id", entity, allowed)
            seen.add(entity)


def _remaining_errors(remaining: Any, policy: Policy) -> Iterator[FieldError]:
    if not isinstance(remaining, dict):
        yield _error("/remaining", remaining, "an object of limits and numbers")
        return
    names = [limit.name for limit in policy.limits]
    for key, value in remaining.items():
        pointer = f"/remaining/{key[:_SHOWN].replace('~', '~0').replace('/', '~1')}"
        if key.partition("/")[0] not in names:
            yield _error(pointer, value, f"of a limit that is known: {', '.join(names)}")
        elif not _is_number(value):
            yield _error(pointer, value, "a finite number")


def _is_number(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _is_probability(value: Any, _policy: Policy) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_id(value: Any, _policy: Policy) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= MAX_ID_CHARACTERS


def _may_be_id(value: Any, policy: Policy) -> bool:
    return value is None or _is_id(value, policy)


def _is_instance(value: Any, _policy: Policy) -> bool:
    return isinstance(value, dict)


def _may_be_action(value: Any, policy: Policy) -> bool:
    return value is None or (isinstance(value, str) and value in policy.actions)


Check = tuple[Callable[[Any, Policy], bool], Callable[[Policy], str]]
_ID: Check = (_is_id, lambda _: f"a text of 1 to {MAX_ID_CHARACTERS} characters")
_INSTANCE: Check = (_is_instance, lambda _: "an object: the groups of inputs")
CHECKS: Mapping[str, Check] = {
    "entity_id": _ID,
    "instance": _INSTANCE,
    "probability": (_is_probability, lambda _: "a number from 0 to 1"),
    "prediction_id": (_may_be_id, lambda _: "absent or a prediction's id"),
    "action": (_may_be_action, lambda policy: f"absent or one of {', '.join(policy.actions)}"),
}
LATER_CHECKS: Mapping[str, Check] = {"entity_id": _ID, "instance": _INSTANCE}


def _error(pointer: str, value: object, allowed: str) -> FieldError:
    return {"pointer": pointer, "value": repr(value)[:_SHOWN], "allowed": allowed}
