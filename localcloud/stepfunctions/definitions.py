"""State machine definitions as TestState is given them: a whole machine, or a single state."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.registry import ServiceError

Document = dict[str, Any]
_TYPES = ("Task", "Pass", "Wait", "Choice", "Succeed", "Fail", "Map", "Parallel")
SINGLE = "TestState"
JSONPATH = "JSONPath"


@dataclass(frozen=True)
class Found:
    """A state with what surrounds it."""

    name: str
    state: Document
    query_language: str
    in_map: bool  #: whether it is one of the states of a Map's items


def find_state(text: str, name: str | None) -> Found:
    """Return the state to test; refuse a definition that AWS would refuse."""
    definition = read_json("definition", text, "InvalidDefinition")
    if not isinstance(definition, dict):
        raise _invalid("The definition is not a JSON object")
    if "States" not in definition:
        return _single(definition, name)
    language = definition.get("QueryLanguage", JSONPATH)
    found = None
    for states, in_map in _blocks(definition, in_map=False):
        _check_targets(states)
        if name in states:
            found = Found(str(name), states[name], language, in_map)
    if found is None:
        names = [each for states, _ in _blocks(definition, in_map=False) for each in states]
        raise _invalid(f"State {name!r} is none of the definition's: {', '.join(names)}")
    return _of_known_type(found)


def read_json(what: str, text: str, code: str) -> Any:
    """Read one of the request's JSON texts."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ServiceError(code, f"The {what} is not JSON: {error}") from error


def _single(state: Document, name: str | None) -> Found:
    if name is not None:
        message = "stateName asks for the definition of a whole state machine, with States"
        raise ServiceError("ValidationException", message)
    return _of_known_type(Found(SINGLE, state, state.get("QueryLanguage", JSONPATH), in_map=False))


def _of_known_type(found: Found) -> Found:
    kind = found.state.get("Type")
    if kind not in _TYPES:
        raise _invalid(f"State {found.name!r} is of type {kind!r}; types are {', '.join(_TYPES)}")
    processor = found.state.get("ItemProcessor", {})
    if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
        message = f"The embedded AWS tests no distributed Map, which {found.name!r} is"
        raise ServiceError("ValidationException", message)
    return found


def _blocks(machine: Document, *, in_map: bool) -> Iterator[tuple[Document, bool]]:
    """Walk the machine's states, and those inside of its Maps and Parallels, block by block."""
    states = machine.get("States", {})
    yield states, in_map
    for state in states.values():
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                yield from _blocks(state[key], in_map=True)
        for branch in state.get("Branches", []):
            yield from _blocks(branch, in_map=in_map)


def _check_targets(states: Mapping[str, Document]) -> None:
    for name, state in states.items():
        ways = [state, *state.get("Choices", []), *state.get("Catch", [])]
        targets = [way["Next"] for way in ways if "Next" in way]
        for target in [*targets, *([state["Default"]] if "Default" in state else [])]:
            if target not in states:
                raise _invalid(f"MISSING_TRANSITION_TARGET: {name!r} leads to {target!r}")


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidDefinition", f"Invalid State Machine Definition: {message}")
