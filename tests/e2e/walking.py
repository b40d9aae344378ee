"""Walks through a state machine, state by state, by AWS's TestState.

A walk says what the workflow is given and what each task answers; TestState, which is the
interpreter that runs executions, says how each state hands its data on and where it leads. Beside
each walk every Retry and every Catch of the tasks on its way is tried too, and what a Catch leads
to is walked to its end.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.branches import Branch, Definition, catch_branch, choice_branch, retry_branch

Answers = Mapping[str, Any]
"""Of each task: its answer, an `Error`, answers `InTurn`, or a function of the state's input."""
TASK_ERRORS = ("States.TaskFailed", "States.Timeout", "States.HeartbeatTimeout", "SomeError")
"""What a Catch of everything is tried with: the first that no Catch before it takes."""
LONGEST = 200


class InTurn(list):
    """What a task answers at its first call, at its second, and so on; the last one stays."""


@dataclass(frozen=True)
class Walk:
    """What a workflow is given, what its tasks answer, and where it must end."""

    name: str
    ends_in: str
    given: Mapping[str, Any] = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)  #: where they differ from the machine's


@dataclass(frozen=True)
class Walks:
    """The walks through one machine, and what its tasks answer when all is well."""

    answers: Answers
    walks: tuple[Walk, ...]
    survived: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Where an execution ends well after an error: by state and error."""


@dataclass(frozen=True)
class Error:
    """An error of a task."""

    name: str
    cause: str = '{"errorMessage": "on purpose"}'


@dataclass(frozen=True)
class End:
    """How a walk ended."""

    state: str
    output: Any = None
    error: Error | None = None


Test = Callable[..., dict[str, Any]]


class Walker:
    """Walks through one machine, and notes each branch that it takes."""

    def __init__(self, client: Any, definition: Definition, walks: Walks) -> None:
        self.taken: dict[Branch, list[str]] = {}
        self._client = client
        self._definition = definition
        self._walks = walks
        self._tried: set[str] = set()

    def walk_all(self) -> None:
        """Take every walk, and every error on its way."""
        for walk in self._walks.walks:
            end = _Tour(self, walk.name, {**self._walks.answers, **walk.answers}).go(
                self._definition, {**walk.given}
            )
            assert end.state == walk.ends_in, f"{walk.name}: ends in {end}"

    def note(self, branch: Branch, walk: str) -> None:
        """Keep that a walk took a branch."""
        self.taken.setdefault(branch, []).append(f"walk: {walk}")

    def test(self, name: str, given: Any, **options: Any) -> dict[str, Any]:
        """Run one state."""
        answer: dict[str, Any] = self._client.test_state(
            definition=json.dumps(self._definition),
            stateName=name,
            input=json.dumps(given),
            inspectionLevel="DEBUG",
            **options,
        )
        return answer

    def branch_of_choice(self, name: str, state: Mapping[str, Any], given: Any) -> Branch:
        """Tell by which of its rules a Choice decides."""
        return choice_branch(self._client, name, state, given)

    def is_new(self, name: str) -> bool:
        """Tell whether a task's errors have not been tried yet."""
        is_new = name not in self._tried
        self._tried.add(name)
        return is_new

    def expected_end(self, state: str, error: str) -> str | None:
        """Return where an execution ends well in spite of an error."""
        return self._walks.survived.get((state, error))


class _Tour:
    """One walk, or what remains of it after an error."""

    def __init__(self, walker: Walker, name: str, answers: Answers) -> None:
        self._walker = walker
        self._name = name
        self._answers = dict(answers)
        self._calls: dict[str, Iterator[int]] = {}

    def go(self, block: Definition, given: Any, start: str = "") -> End:
        """Walk from a state to the end of its block."""
        name, value = start or block["StartAt"], given
        for _ in range(LONGEST):
            state = block["States"][name]
            if state["Type"] == "Wait":
                name = state["Next"]
                continue
            answer = self._step(block, name, state, value)
            if answer["status"] == "FAILED":
                return End(name, error=Error(answer["error"], answer["cause"]))
            value = json.loads(answer["output"])
            if "nextState" not in answer:
                return End(name, value)
            name = answer["nextState"]
        raise AssertionError(f"{self._name}: no end after {LONGEST} states")

    def _step(
        self, block: Definition, name: str, state: Mapping[str, Any], value: Any
    ) -> dict[str, Any]:
        if state["Type"] == "Choice":
            branch = self._walker.branch_of_choice(name, state, value)
            self._walker.note(branch, self._name)
        if state["Type"] == "Task":
            return self._task(block, name, state, value)
        if state["Type"] == "Map":
            return self._map(block, name, state, value)
        return self._walker.test(name, value)

    def _task(
        self, block: Definition, name: str, state: Mapping[str, Any], value: Any
    ) -> dict[str, Any]:
        if self._walker.is_new(name):
            self._try_errors(block, name, state, value)
        given = self._answer(name, value)
        answer = self._walker.test(name, value, mock=_mock(given))
        is_good = isinstance(given, Error) or answer["status"] == "SUCCEEDED"
        assert is_good, f"{self._name}: {name}: {answer}"
        self._note_catch(name, state, answer)
        return answer

    def _answer(self, name: str, value: Any) -> Any:
        assert name in self._answers, f"{self._name}: what does {name!r} answer? Add it to walks/"
        answer = self._answers[name]
        if callable(answer):
            return answer(value)
        if not isinstance(answer, InTurn):
            return answer
        call = next(self._calls.setdefault(name, itertools.count()))
        return answer[min(call, len(answer) - 1)]

    def _map(
        self, block: Definition, name: str, state: Mapping[str, Any], value: Any
    ) -> dict[str, Any]:
        """Walk each item through the Map's own states, then go on with what they gave."""
        looked = self._walker.test(name, value, mock=_mock([]))
        assert looked["status"] == "SUCCEEDED", looked
        items = json.loads(looked["inspectionData"].get("afterItemSelector", "[]"))
        ends = [self.go(state["ItemProcessor"], item) for item in items]
        if self._walker.is_new(name):
            self._try_errors(block, name, state, value)
        failed = next((end.error for end in ends if end.error), None)
        if failed is not None:
            answer = self._walker.test(name, value, mock=_mock(failed))
            self._note_catch(name, state, answer)
            return answer
        return self._walker.test(name, value, mock=_mock([end.output for end in ends]))

    def _try_errors(
        self, block: Definition, name: str, state: Mapping[str, Any], value: Any
    ) -> None:
        for index, retrier in enumerate(state.get("Retry", [])):
            for error in retrier["ErrorEquals"]:
                self._try_retry(name, state, value, index, Error(error))
        for index in range(len(state.get("Catch", []))):
            self._try_catch(block, name, state, value, index)

    def _try_retry(
        self, name: str, state: Mapping[str, Any], value: Any, index: int, error: Error
    ) -> None:
        """See an error retried as often as it may be, and caught afterwards."""
        retrier = state["Retry"][index]
        last = retrier.get("MaxAttempts", 3)
        for count in (0, last - 1, last):
            answer = self._walker.test(
                name, value, mock=_mock(error), stateConfiguration={"retrierRetryCount": count}
            )
            details = answer["inspectionData"].get("errorDetails", {})
            is_retried = (answer["status"], details.get("retryIndex")) == ("RETRIABLE", index)
            assert is_retried == (count < last), f"{name}: {error.name}, retried {count} times"
        self._walker.note(retry_branch(name, retrier), f"{self._name}; {error.name}")

    def _try_catch(
        self, block: Definition, name: str, state: Mapping[str, Any], value: Any, index: int
    ) -> None:
        """See what a Catch leads to: the execution's end names the error, or survives it."""
        catcher = state["Catch"][index]
        named = [each for each in catcher["ErrorEquals"] if each != "States.ALL"]
        for error in map(Error, named or TASK_ERRORS):
            answer = self._walker.test(name, value, mock=_mock(error))
            if answer["inspectionData"].get("errorDetails") != {"catchIndex": index}:
                continue
            assert answer["nextState"] == catcher["Next"]
            end = _Tour(self._walker, f"{self._name}; {name}: {error.name}", self._answers).go(
                block, json.loads(answer["output"]), answer["nextState"]
            )
            survived = self._walker.expected_end(name, error.name)
            assert (end.state == survived) if survived else (end.error == error), (
                f"{self._name}: after {error} in {name!r} the execution ends in {end}"
            )
            self._note_catch(name, state, answer)
            return
        raise AssertionError(f"{name}: no error leads to Catch {index + 1}, {catcher}")

    def _note_catch(self, name: str, state: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        if answer["status"] == "CAUGHT_ERROR":
            index = answer["inspectionData"]["errorDetails"]["catchIndex"]
            branch = catch_branch(name, state["Catch"][index])
            self._walker.note(branch, f"{self._name}; {answer['error']}")


def _mock(answer: Any) -> dict[str, Any]:
    if isinstance(answer, Error):
        return {"errorOutput": {"error": answer.name, "cause": answer.cause}}
    return {"result": json.dumps(answer)}
