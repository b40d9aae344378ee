"""The items of a Map and the branches of a Parallel: when one fails, AWS stops the others.

ministack lets them run to their ends, starts the ones that wait, and reports the error of the
first in their order. Here what runs is stopped, nothing starts any more, and the error is the one
that came first.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import stepfunctions as ministack


class Siblings:
    """What runs side by side."""

    def __init__(self, outer: Siblings | None, *, tolerates: bool) -> None:
        self._outer = outer
        self._tolerates = tolerates
        self._lock = threading.Lock()
        self.error: Exception | None = None

    def failed(self, error: Exception) -> None:
        """Keep the first error that ends them all."""
        with self._lock:
            if not self._tolerates:
                self.error = self.error or error

    @property
    def are_stopped(self) -> bool:
        """Tell whether one of them, or of those around them, has failed."""
        return self.error is not None or (self._outer is not None and self._outer.are_stopped)


CURRENT: contextvars.ContextVar[Siblings | None] = contextvars.ContextVar("siblings", default=None)


def install() -> None:
    """Put this around ministack's Maps and Parallels."""
    for name in ("_run_map_items", "_run_parallel_branches"):
        setattr(ministack, name, _side_by_side(getattr(ministack, name)))


def are_stopped() -> bool:
    """Tell whether what runs here is to stop, because something beside it has failed."""
    siblings = CURRENT.get()
    return siblings is not None and siblings.are_stopped


def check_run() -> None:
    """Refuse to go on beside something that has failed."""
    if are_stopped():
        message = "Something beside it has failed"
        raise ministack._ExecutionError("States.Runtime", message)  # noqa: SLF001


def one_failed(error: Exception) -> None:
    """Stop what runs beside this."""
    siblings = CURRENT.get()
    if siblings is not None:
        siblings.failed(error)


def _side_by_side(run: Callable[..., Any]) -> Callable[..., Any]:
    def run_until_one_fails(state: Mapping[str, Any], *given: Any) -> Any:
        siblings = Siblings(CURRENT.get(), tolerates=_counts_failures(state))
        token = CURRENT.set(siblings)
        try:
            return run(state, *given)
        except ministack._ExecutionError:  # noqa: SLF001
            if siblings.error is not None:
                raise siblings.error from None
            raise
        finally:
            CURRENT.reset(token)

    return run_until_one_fails


def _counts_failures(state: Mapping[str, Any]) -> bool:
    """Tell whether failed items are counted, as those of a distributed Map are."""
    processor = state.get("ItemProcessor", {}).get("ProcessorConfig", {})
    return bool(processor.get("Mode") == "DISTRIBUTED")
