"""Conditions of a stage's entry: rules over variables, which skip the stage or fail it.

Source: "How do stage conditions work?" and "VariableCheck" of the AWS CodePipeline user guide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from localcloud.codepipeline.variables import UnknownVariableError, resolve

OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "EQ": lambda value, wanted: value == wanted,
    "NE": lambda value, wanted: value != wanted,
    "CONTAINS": lambda value, wanted: wanted in value,
    "MATCHES": lambda value, wanted: re.fullmatch(wanted, value) is not None,
}
PROVIDER = "VariableCheck"
RESULTS = ("SKIP", "FAIL")


class Entry(NamedTuple):
    """What the conditions say of an execution that wants in; without a result it may."""

    result: str
    reason: str


class ConditionError(ValueError):
    """A condition is not one that the embedded AWS can judge."""


def entry_of(declared: Mapping[str, Any], variables: Mapping[str, Mapping[str, str]]) -> Entry:
    """Judge all conditions; the first that does not hold decides."""
    for condition in declared["conditions"]:
        for rule in condition["rules"]:
            try:
                broken = _broken(rule, variables)
            except UnknownVariableError as error:
                broken = str(error)
            if broken:
                return Entry(condition["result"], broken)
    return Entry("", "")


def check(declared: Mapping[str, Any]) -> None:
    """Refuse conditions that cannot be judged.

    Raises:
        ConditionError: another provider, operator or result than there are.

    """
    for condition in declared["conditions"]:
        _allowed("result", condition.get("result"), RESULTS)
        for rule in condition["rules"]:
            _allowed("provider", rule["ruleTypeId"]["provider"], (PROVIDER,))
            _allowed("Operator", rule.get("configuration", {}).get("Operator"), tuple(OPERATORS))


def _broken(rule: Mapping[str, Any], variables: Mapping[str, Mapping[str, str]]) -> str:
    given = rule["configuration"]
    value = resolve(given["Variable"], variables)
    if OPERATORS[given["Operator"]](value, given["Value"]):
        return ""
    wanted = f"{given['Operator']} {given['Value']!r}"
    return f"{rule['name']}: {given['Variable']} is {value!r}, not {wanted}"


def _allowed(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        message = f"beforeEntry: {name} is {value!r}; the embedded AWS has {', '.join(allowed)}"
        raise ConditionError(message)
