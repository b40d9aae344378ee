"""One record, checked against its feature group."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from localcloud.featurestore.definition import Definition
from localcloud.featurestore.event_time import microseconds
from localcloud.sagemaker.errors import invalid, unsupported

FeatureValue = Mapping[str, str]
_WHOLE = re.compile(r"[+-]?\d{1,19}")
_RANGE = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Record:
    """A record that its feature group takes."""

    identifier: str
    event_time: int
    values: Mapping[str, str]


def check(definition: Definition, given: Sequence[FeatureValue]) -> Record:
    """Check every feature of a record; refuse with the first that is wrong."""
    values: dict[str, str] = {}
    for each in given:
        name, value = each["FeatureName"], each.get("ValueAsString")
        kind = definition.types.get(name)
        if kind is None:
            raise invalid(_unknown(definition, name))
        if name in values:
            raise invalid(f"Feature '{name}' stands twice in the record.")
        if value is None:
            _without_text(each)
            continue
        if not _CHECKS[kind](value):
            raise invalid(f"Value '{value}' of feature '{name}' is not of type {kind}.")
        values[name] = value
    return _identified(definition, values)


def _without_text(value: FeatureValue) -> None:
    if "ValueAsStringList" in value:
        raise unsupported("features that are collections")


def _unknown(definition: Definition, name: str) -> str:
    known = ", ".join(definition.types)
    return f"Feature '{name}' is not in feature group '{definition.name}'; known are {known}."


def _identified(definition: Definition, values: Mapping[str, str]) -> Record:
    for role, name in (("record identifier", definition.identifier),
                       ("event time", definition.event_time)):  # fmt: skip
        if not values.get(name):
            raise invalid(f"The record lacks its {role}, feature '{name}'.")
    time = values[definition.event_time]
    return Record(
        identifier=values[definition.identifier],
        event_time=microseconds(time, definition.types[definition.event_time]),
        values=values,
    )


def _is_integral(value: str) -> bool:
    return bool(_WHOLE.fullmatch(value)) and int(value) in _RANGE


def _is_fractional(value: str) -> bool:
    try:
        return math.isfinite(float(value)) and "_" not in value
    except ValueError:
        return False


_CHECKS: dict[str, Callable[[str], bool]] = {
    "Integral": _is_integral,
    "Fractional": _is_fractional,
    "String": lambda _value: True,
}
