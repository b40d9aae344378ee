"""Who may enter a stage: one execution at a time, by the pipeline's execution mode.

SUPERSEDED: one execution waits before a stage, and a newer one takes its place. QUEUED: they wait
in the order of their start. PARALLEL: nobody waits. A disabled transition holds everybody back.
Source: "How pipeline executions work" of the AWS CodePipeline user guide.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["SUPERSEDED", "QUEUED", "PARALLEL"]
Entry = Literal["entered", "superseded", "stopped"]
Stage = tuple[str, str]
"""A pipeline's name and the stage's."""


@dataclass
class _Gate:
    inside: str | None = None
    waiting: list[str] = field(default_factory=list)


class StageGates:
    """The entrances of all stages of all pipelines."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._gates: defaultdict[Stage, _Gate] = defaultdict(_Gate)
        self._closed: dict[Stage, str] = {}
        self._superseded: set[str] = set()

    def enter(
        self, stage: Stage, execution_id: str, mode: Mode, stopped: Callable[[], bool]
    ) -> Entry:
        """Wait until an execution may enter a stage, or never will."""
        with self._changed:
            gate = self._gates[stage]
            self._line_up(gate, execution_id, mode)
            self._changed.notify_all()

            def decided() -> bool:
                first = gate.waiting[:1] == [execution_id]
                free = mode == "PARALLEL" or (gate.inside is None and first)
                open_ = stage not in self._closed
                return (free and open_) or execution_id in self._superseded or stopped()

            self._changed.wait_for(decided)
            if execution_id in gate.waiting:
                gate.waiting.remove(execution_id)
            if execution_id in self._superseded:
                return "superseded"
            if stopped():
                self._changed.notify_all()
                return "stopped"
            if mode != "PARALLEL":
                gate.inside = execution_id
            return "entered"

    def leave(self, stage: Stage, execution_id: str) -> None:
        """Let the next execution in."""
        with self._changed:
            gate = self._gates[stage]
            if gate.inside == execution_id:
                gate.inside = None
            self._changed.notify_all()

    def waiting(self, stage: Stage) -> list[str]:
        """Name the executions that wait before a stage."""
        with self._changed:
            return list(self._gates[stage].waiting)

    def close(self, stage: Stage, reason: str) -> None:
        """Disable the transition into a stage."""
        with self._changed:
            self._closed[stage] = reason

    def open(self, stage: Stage) -> None:
        """Enable the transition into a stage."""
        with self._changed:
            self._closed.pop(stage, None)
            self._changed.notify_all()

    def closed_because(self, stage: Stage) -> str | None:
        """Say why the transition into a stage is disabled, or None where it is not."""
        with self._changed:
            return self._closed.get(stage)

    def look_again(self) -> None:
        """Have everyone who waits look whether they were stopped."""
        with self._changed:
            self._changed.notify_all()

    def _line_up(self, gate: _Gate, execution_id: str, mode: Mode) -> None:
        if mode == "SUPERSEDED":
            self._superseded.update(gate.waiting)
            gate.waiting.clear()
        if mode != "PARALLEL":
            gate.waiting.append(execution_id)
