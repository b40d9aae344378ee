"""One state run on its own by the interpreter that runs executions.

A trial stands in for the work of a Task, Map or Parallel, ends where an execution would wait for a
retry, and keeps what the interpreter made of the data on its way. Outside of a trial nothing here
changes anything.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ministack.services import stepfunctions as ministack

Document = dict[str, Any]
DEFAULT_INTERVAL_SECONDS = 1
DEFAULT_BACKOFF = 2.0


class RetriableError(Exception):
    """An execution would now wait, and then try again; its context is the state's error."""


@dataclass(frozen=True)
class Mock:
    """What stands in for a state's work: its result, or an error."""

    result: Any = None
    error: str | None = None
    cause: str = ""

    def answer(self) -> Any:
        """Give the result, or raise the error."""
        if self.error is not None:
            raise ministack._ExecutionError(self.error, self.cause)  # noqa: SLF001
        return self.result


@dataclass
class Trial:
    """The run of one state: what it was given, and what became of it."""

    mock: Mock | None
    retries: int  #: how often the retrier that applies has retried
    data: Document = field(default_factory=dict)  #: stages of the data, by their names in the API
    error_details: dict[str, int] = field(default_factory=dict)
    failure: Mapping[str, str] | None = None  #: the error that was caught
    items: dict[int, Any] = field(default_factory=dict)  #: what each item of a Map was given


TRIAL: contextvars.ContextVar[Trial | None] = contextvars.ContextVar("trial", default=None)


def install() -> None:
    """Let the interpreter's functions look for a trial."""
    _stand_in("_invoke_resource", _answer)
    _stand_in("_invoke_with_callback", _answer)
    _stand_in("_run_sub_machine", _item)
    _stand_in("_find_matching_retrier", _retrier)
    _stand_in("_find_matching_catcher", _catcher)
    _stand_in("_apply_catcher", _caught)
    _stand_in("_apply_result_selector", _selected)
    for function, stage in (
        ("_apply_input_path", "afterInputPath"),
        ("_apply_parameters", "afterParameters"),
        ("_apply_jsonata_arguments", "afterArguments"),
        ("_apply_result_path", "afterResultPath"),
    ):
        _stand_in(function, functools.partial(_kept, stage))


Real = Callable[..., Any]


def _stand_in(name: str, with_trial: Callable[..., Any]) -> None:
    """Put a function beside one of the interpreter's, for the time of a trial."""
    real: Real = getattr(ministack, name)

    def run(*given: Any, **named: Any) -> Any:
        trial = TRIAL.get()
        return real(*given, **named) if trial is None else with_trial(trial, real, *given, **named)

    setattr(ministack, name, run)


def _answer(trial: Trial, real: Real, *given: Any) -> Any:
    """Do a task's work, or what was asked to stand in for it."""
    result = trial.mock.answer() if trial.mock else real(*given)
    trial.data["result"] = result
    return result


def _item(trial: Trial, real: Real, *given: Any) -> Any:  # noqa: ARG001  never really run
    """Keep what an item or a branch was given; its states are not run."""
    _, _, value, _, context = given
    if "Map" in context:
        trial.items[context["Map"]["Item"]["Index"]] = value
    return trial.mock.answer() if trial.mock else None


def _retrier(trial: Trial, real: Real, retriers: Any, error: str, _counts: Any) -> Any:
    """End the trial where an execution would wait for its next attempt."""
    counts = dict.fromkeys(range(len(retriers)), trial.retries)
    retrier, index = real(retriers, error, counts)
    if retrier is None:
        return retrier, index
    interval = retrier.get("IntervalSeconds", DEFAULT_INTERVAL_SECONDS)
    backoff = interval * retrier.get("BackoffRate", DEFAULT_BACKOFF) ** trial.retries
    seconds = int(min(backoff, retrier.get("MaxDelaySeconds", backoff)))
    trial.error_details = {"retryIndex": index, "retryBackoffIntervalSeconds": seconds}
    raise RetriableError


def _catcher(trial: Trial, real: Real, catchers: Any, error: str) -> Any:
    catcher = real(catchers, error)
    if catcher is not None:
        trial.error_details = {"catchIndex": catchers.index(catcher)}
    return catcher


def _caught(trial: Trial, real: Real, *given: Any) -> Any:
    trial.failure = given[-1]
    return real(*given)


def _selected(trial: Trial, real: Real, state: Document, result: Any) -> Any:
    """Put the mocked result of a Map or a Parallel in the place of what its items gave."""
    if state["Type"] in ("Map", "Parallel") and trial.mock:
        result = trial.mock.answer()
        trial.data["result"] = result
    selected = real(state, result)
    trial.data["afterResultSelector"] = selected
    return selected


def _kept(stage: str, trial: Trial, real: Real, *given: Any) -> Any:
    trial.data[stage] = real(*given)
    return trial.data[stage]
