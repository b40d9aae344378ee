"""An execution's history as AWS writes it: each event with the one before it, Map items included.

ministack numbers events without saying which one led to which, and keeps none of the states inside
a Map or a Parallel. Here each event names the one before it in its own thread of events.
"""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ministack.services import stepfunctions as ministack

from localcloud.stepfunctions import endings, siblings

Document = dict[str, Any]
_NUMBERING = threading.Lock()
_BEFORE: contextvars.ContextVar[Mapping[str, int]] = contextvars.ContextVar(
    "before", default=MappingProxyType({})
)
"""Of each execution that runs here: its latest event. The threads of items and branches start with
a copy, so their first event follows the state that they belong to."""


def install() -> None:
    """Put this in the place of what ministack writes."""
    add_event: Callable[..., Document] = ministack._add_event  # noqa: SLF001

    def add(execution: Document, kind: str, details: Document | None = None) -> Document:
        if execution["status"] != endings.RUNNING and not kind.startswith("Execution"):
            return {}  # the end of an execution is its last event
        # ministack numbers an event by how many there are.
        with _NUMBERING:
            event = add_event(execution, kind, details)
        arn, before = execution["executionArn"], _BEFORE.get()
        event["previousEventId"] = before.get(arn, 0)
        _BEFORE.set(MappingProxyType({**before, arn: event["id"]}))
        return event

    ministack._add_event = add  # noqa: SLF001
    ministack._run_sub_machine = run_sub_machine  # noqa: SLF001


def run_sub_machine(
    states: Mapping[str, Document], start: str, given: Any, execution: Document, context: Document
) -> Any:
    """Run the states of a Map's item or a Parallel's branch; their events stand in the history."""
    try:
        return _run_block(states, start, given, execution, context)
    except ministack._ExecutionError as error:  # noqa: SLF001
        siblings.one_failed(error)
        raise


def _run_block(
    states: Mapping[str, Document], start: str, given: Any, execution: Document, context: Document
) -> Any:
    value = json.loads(json.dumps(given))
    name: str | None = start
    while name:
        endings.check_runs(execution)
        siblings.check_run()
        state = states.get(name)
        if state is None:
            raise ministack._ExecutionError("States.Runtime", f"State '{name}' not found")  # noqa: SLF001
        kind = state["Type"]
        context["State"] = {"Name": name, "EnteredTime": ministack.now_iso(), "RetryCount": 0}
        entered = {"name": name, "input": json.dumps(value)}
        _tell(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": entered})
        value, following = run_state(kind, state, value, execution, context)
        left = {"name": name, "output": json.dumps(value)}
        _tell(execution, f"{kind}StateExited", {"stateExitedEventDetails": left})
        name = following
    return value


def run_state(
    kind: str, state: Document, value: Any, execution: Document, context: Document
) -> tuple[Any, str | None]:
    """Run one state; give its output and the state that follows, if any."""
    if kind == "Succeed":
        effective = ministack._apply_input_path(state, value, context)  # noqa: SLF001
        return ministack._apply_output_path(state, effective, context), None  # noqa: SLF001
    if kind == "Fail":
        raise ministack._ExecutionError(*ministack._fail_state_error(state, value, context))  # noqa: SLF001
    # Looked up at each call: the engine puts its own in the place of some.
    run = getattr(ministack, f"_execute_{kind.lower()}")
    with_history = (execution,) if kind in ("Task", "Parallel", "Map") else ()
    output, following = run(state, value, *with_history, context)
    return output, following


def _tell(execution: Document, kind: str, details: Document) -> None:
    ministack._add_event(execution, kind, details)  # noqa: SLF001
