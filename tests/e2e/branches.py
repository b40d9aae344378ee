"""Which branches of state machines there are, and which of them executions have taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Definition = Mapping[str, Any]
Event = Mapping[str, Any]


class Branch(NamedTuple):
    """One way out of a state: a rule or the default of a Choice, a Catch, or a Retry."""

    state: str
    kind: str
    label: str
    next: str


def states_of(definition: Definition) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Walk all states, those inside of a Map too."""
    for name, state in definition["States"].items():
        yield name, state
        for inner in ("ItemProcessor", "Iterator"):
            if inner in state:
                yield from states_of(state[inner])


def branches_of(definition: Definition) -> list[Branch]:
    """List every branch of Choice, Catch and Retry."""
    found: list[Branch] = []
    for name, state in states_of(definition):
        for index, rule in enumerate(state.get("Choices", []), start=1):
            found.append(Branch(name, "Choice", f"rule {index}", rule["Next"]))
        if "Default" in state:
            found.append(Branch(name, "Choice", "default", state["Default"]))
        for catch in state.get("Catch", []):
            found.append(Branch(name, "Catch", ", ".join(catch["ErrorEquals"]), catch["Next"]))
        for retry in state.get("Retry", []):
            found.append(Branch(name, "Retry", ", ".join(retry["ErrorEquals"]), name))
    return found


def taken(definition: Definition, events: Sequence[Event]) -> set[Branch]:
    """Read from a history which branches an execution has taken."""
    entered = _transitions(events)
    retried = _retried(events)
    return {
        branch
        for branch in branches_of(definition)
        if _is_retry(branch, retried) or (branch.kind != "Retry" and _goes(branch, entered, events))
    }


def _goes(branch: Branch, entered: set[tuple[str, str]], events: Sequence[Event]) -> bool:
    if (branch.state, branch.next) not in entered:
        return False
    return branch.kind == "Choice" or _failed(branch.state, branch.label, events)


def _transitions(events: Sequence[Event]) -> set[tuple[str, str]]:
    """Pair each state with the one that its own thread of events came from."""
    by_id = {event["id"]: event for event in events}
    found = set()
    for event in events:
        if not event["type"].endswith("StateEntered"):
            continue
        name = event["stateEnteredEventDetails"]["name"]
        before = by_id.get(event.get("previousEventId", 0))
        while before is not None:
            details = before.get("stateExitedEventDetails") or before.get(
                "stateEnteredEventDetails"
            )
            if details:
                found.add((details["name"], name))
                break
            before = by_id.get(before.get("previousEventId", 0))
    return found


def _failures(events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """Give the errors of tasks with the state that each happened in."""
    inside = ""
    for event in events:
        if event["type"].endswith("StateEntered"):
            inside = event["stateEnteredEventDetails"]["name"]
        for key, details in event.items():
            if key.endswith("EventDetails") and isinstance(details, Mapping) and "error" in details:
                yield inside, str(details["error"])


def _failed(state: str, errors: str, events: Sequence[Event]) -> bool:
    """Tell whether a Catch was meant: a timeout's, or any other failure's."""
    seen = {error for name, error in _failures(events) if name == state}
    timed_out = "States.Timeout" in seen
    return timed_out if errors == "States.Timeout" else not timed_out or errors == "States.ALL"


def _retried(events: Sequence[Event]) -> set[tuple[str, str]]:
    """Give states with the errors after which they were scheduled again."""
    found, inside, pending = set(), "", ""
    for event in events:
        if event["type"].endswith("StateEntered"):
            inside, pending = event["stateEnteredEventDetails"]["name"], ""
        elif event["type"].endswith("Scheduled") and pending:
            found.add((inside, pending))
            pending = ""
        else:
            pending = _error_of(event) or pending
    return found


def _error_of(event: Event) -> str:
    for key, details in event.items():
        if key.endswith("EventDetails") and isinstance(details, Mapping) and "error" in details:
            return str(details["error"])
    return ""


def _is_retry(branch: Branch, retried: set[tuple[str, str]]) -> bool:
    if branch.kind != "Retry":
        return False
    errors = branch.label.split(", ")
    return any(state == branch.state and error in errors for state, error in retried)


def report(by_branch: Mapping[tuple[str, Branch], Sequence[str]]) -> str:
    """Lay out every branch with the tests that took it, as a Markdown table."""
    lines = ["| Machine | State | Branch | To | Test |", "|---|---|---|---|---|"]
    for (machine, branch), tests in sorted(by_branch.items()):
        words = f"{branch.kind} {branch.label}"
        taken_by = ", ".join(sorted(set(tests))) or "**none**"
        lines.append(f"| {machine} | {branch.state} | {words} | {branch.next} | {taken_by} |")
    return "\n".join(lines) + "\n"
