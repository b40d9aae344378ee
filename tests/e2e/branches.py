"""Which branches of state machines there are, and which of them executions have taken."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Definition = Mapping[str, Any]
Event = Mapping[str, Any]
KINDS = ("Choice", "Catch", "Retry")


class Branch(NamedTuple):
    """One way out of a state: a rule or the default of a Choice, a Catch, or a Retry."""

    state: str
    kind: str
    label: str
    next: str


def states_of(definition: Definition) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Walk all states, those inside of a Map or a Parallel too."""
    for name, state in definition["States"].items():
        yield name, state
        inner = [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
        for block in [*inner, *state.get("Branches", [])]:
            yield from states_of(block)


def branches_of(definition: Definition) -> list[Branch]:
    """List every branch of Choice, Catch and Retry."""
    found: list[Branch] = []
    for name, state in states_of(definition):
        for index, rule in enumerate(state.get("Choices", []), start=1):
            found.append(Branch(name, "Choice", f"rule {index}", rule["Next"]))
        if "Default" in state:
            found.append(Branch(name, "Choice", "default", state["Default"]))
        found += [catch_branch(name, catcher) for catcher in state.get("Catch", [])]
        found += [retry_branch(name, retrier) for retrier in state.get("Retry", [])]
    return found


def catch_branch(name: str, catcher: Mapping[str, Any]) -> Branch:
    """Name a Catch of a state."""
    return Branch(name, "Catch", ", ".join(catcher["ErrorEquals"]), catcher["Next"])


def retry_branch(name: str, retrier: Mapping[str, Any]) -> Branch:
    """Name a Retry of a state."""
    return Branch(name, "Retry", ", ".join(retrier["ErrorEquals"]), name)


def choice_branch(client: Any, name: str, state: Mapping[str, Any], given: Any) -> Branch:
    """Tell by which of its rules a Choice decides: TestState, with the rules as their targets."""
    rules = [
        {**rule, "Next": f"rule {index}"} for index, rule in enumerate(state["Choices"], start=1)
    ]
    asked = {**state, "Choices": rules}
    if "Default" in state:
        asked["Default"] = "default"
    answer = client.test_state(definition=json.dumps(asked), input=json.dumps(given))
    label = answer["nextState"]
    ways = [rule["Next"] for rule in state["Choices"]]
    following = state["Default"] if label == "default" else ways[int(label.split()[1]) - 1]
    return Branch(name, "Choice", label, following)


def taken(client: Any, definition: Definition, events: Sequence[Event]) -> set[Branch]:
    """Read from a history which branches an execution has taken."""
    states = dict(states_of(definition))
    by_id = {event["id"]: event for event in events}
    found: set[Branch] = set()
    for event in events:
        name, state = _state_at(event, by_id, states)
        if event["type"] == "ChoiceStateEntered":
            given = json.loads(event["stateEnteredEventDetails"]["input"])
            found.add(choice_branch(client, name, state, given))
        elif event["type"].endswith(("Scheduled", "StateExited")):
            found |= set(_after_error(name, state, event, by_id))
    return found


def _state_at(
    event: Event, by_id: Mapping[int, Event], states: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]]:
    """Tell in which state an event happened: the one that its own thread entered last."""
    at: Event | None = event
    while at is not None:
        for key in ("stateExitedEventDetails", "stateEnteredEventDetails"):
            if key in at:
                name = at[key]["name"]
                return name, states[name]
        at = by_id.get(at.get("previousEventId", 0))
    return "", {}


def _after_error(
    name: str, state: Mapping[str, Any], event: Event, by_id: Mapping[int, Event]
) -> Iterator[Branch]:
    """Tell how an error that came just before an event was handled: retried, or caught."""
    error = _error_of(by_id.get(event.get("previousEventId", 0), {}))
    if not error:
        return
    is_retried = event["type"].endswith("Scheduled")
    for handler in state.get("Retry" if is_retried else "Catch", []):
        if _matches(handler["ErrorEquals"], error):
            yield retry_branch(name, handler) if is_retried else catch_branch(name, handler)
            return


def _error_of(event: Event) -> str:
    for key, details in event.items():
        if key.endswith("EventDetails") and isinstance(details, Mapping) and "error" in details:
            return str(details["error"])
    return ""


def _matches(errors: Sequence[str], error: str) -> bool:
    task_failed = "States.TaskFailed" in errors and error != "States.Timeout"
    return "States.ALL" in errors or error in errors or task_failed


def report(by_branch: Mapping[tuple[str, Branch], Sequence[str]]) -> str:
    """Lay out every branch with what took it, as a Markdown table."""
    lines = ["| Machine | State | Branch | To | Taken by |", "|---|---|---|---|---|"]
    for (machine, branch), takers in sorted(by_branch.items()):
        words = f"{branch.kind} {branch.label}"
        first = "; ".join(sorted(set(takers))[:3]) or "**nothing**"
        lines.append(f"| {machine} | {branch.state} | {words} | {branch.next} | {first} |")
    return "\n".join(lines) + "\n"
