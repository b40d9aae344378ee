"""How an execution ends: once, whatever its threads do afterwards, and within its machine's time.

ministack lets a task that fails behind an abort turn the execution into a failed one, goes on with
a Map's items, and knows no TimeoutSeconds of a machine.
"""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions as ministack

Document = dict[str, Any]
RUNNING = "RUNNING"


def install() -> None:
    """Put this in the place of ministack's own."""
    fail: Callable[..., None] = ministack._fail_execution  # noqa: SLF001

    def fail_once(execution: Document, error: str, cause: str) -> None:
        if execution["status"] == RUNNING:
            fail(execution, error, cause)

    ministack._fail_execution = fail_once  # noqa: SLF001


def check_runs(execution: Document) -> None:
    """Refuse to go on with an execution that has ended."""
    if execution["status"] != RUNNING:
        message = f"The execution is {execution['status']}"
        raise ministack._ExecutionError("States.Runtime", message)  # noqa: SLF001


def limit(execution: Document) -> None:
    """Let an execution that has begun time out when its machine's time is over."""
    machine = ministack._state_machines.get(execution["stateMachineArn"])  # noqa: SLF001
    definition = json.loads(machine["definition"]) if machine else {}
    if "TimeoutSeconds" in definition:
        context = contextvars.copy_context()
        timer = threading.Timer(
            definition["TimeoutSeconds"], lambda: context.run(_time_out, execution)
        )
        timer.daemon = True
        _TIMERS[execution["executionArn"]] = timer
        timer.start()


def forget(execution: Document) -> None:
    """Await the end of an execution no longer."""
    timer = _TIMERS.pop(execution["executionArn"], None)
    if timer is not None:
        timer.cancel()


_TIMERS: dict[str, threading.Timer] = {}


def _time_out(execution: Document) -> None:
    if execution["status"] != RUNNING:
        return
    execution.update(status="TIMED_OUT", stopDate=ministack.now_iso())
    ministack._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})  # noqa: SLF001
    ministack._emit_execution_status_event(execution)  # noqa: SLF001
