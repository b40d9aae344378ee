"""Executions that the embedded AWS's end has interrupted: they have failed, and the bus says so.

ministack marks them when it loads its state. AWS tells every end of an execution to EventBridge;
whoever repairs what a dead execution has left waits for that event.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions as ministack

from localcloud.jobs.connections import await_gateway

Document = dict[str, Any]
RUNNING = "RUNNING"


def install() -> None:
    """Announce what was interrupted, once the gateway answers."""
    load: Callable[[Any], None] = ministack.load_persisted_state

    def load_and_announce(data: Any) -> None:
        interrupted = running_in(data)
        load(data)
        if interrupted:
            threading.Thread(target=_announce, args=(interrupted,), daemon=True).start()

    ministack.load_persisted_state = load_and_announce


def running_in(data: Any) -> list[Document]:
    """Find the executions that ran when a state was stored; ministack fails these documents."""
    executions: Any = data.get("executions") if data else None
    every = executions.all_values() if executions else ()
    return [execution for execution in every if execution.get("status") == RUNNING]


def _announce(executions: list[Document]) -> None:
    await_gateway()
    for execution in executions:
        ministack._emit_execution_status_event(execution)  # noqa: SLF001
