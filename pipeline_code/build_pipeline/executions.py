"""Step Functions executions as the pipeline follows them: to their end or their question."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

POLL_SECONDS = 2.0
RUNNING, SUCCEEDED = "RUNNING", "SUCCEEDED"


@dataclass(frozen=True)
class Execution:
    """How an execution ended, and what its states said."""

    arn: str
    status: str
    events: Sequence[Mapping[str, Any]]

    def document(self, *keys: str) -> dict[str, Any]:
        """Give the latest JSON object that holds all of these keys; empty where none does."""
        for event in reversed(self.events):
            for found in _objects(_payloads(event)):
                if all(key in found for key in keys):
                    return found
        return {}

    def failure(self) -> str:
        """Say why it ended badly, in the words of its last error."""
        for event in reversed(self.events):
            for name, details in event.items():
                if name.endswith("EventDetails") and "error" in details:
                    return f"{details['error']}: {_cause(details.get('cause', ''))}"
        return self.status

    def is_in(self, state: str) -> bool:
        """Tell whether it has entered a state and not left it."""
        entered = [e["stateEnteredEventDetails"] for e in self.events if _enters(e)]
        left = [e["stateExitedEventDetails"] for e in self.events if _leaves(e)]
        names = [each["name"] for each in entered]
        return names.count(state) > [each["name"] for each in left].count(state)


class Workflow:
    """One state machine."""

    def __init__(self, sfn: Any, arn: str, *, asks_in: str = "") -> None:
        """Follow executions to their end, or to the state in which they ask a person."""
        self._sfn = sfn
        self._arn = arn
        self._asks_in = asks_in

    def run(self, request: Mapping[str, Any]) -> Execution:
        """Start an execution and follow it."""
        answer = self._sfn.start_execution(stateMachineArn=self._arn, input=json.dumps(request))
        return self.follow(str(answer["executionArn"]))

    def follow(self, arn: str) -> Execution:
        """Wait for the end of an execution, or for its question."""
        while True:
            execution = self.read(arn)
            if execution.status != RUNNING or self._asks(execution):
                return execution
            time.sleep(POLL_SECONDS)

    def wait_for_others(self) -> None:
        """Wait until nothing of it runs but what asks a person."""
        for summary in self._sfn.list_executions(stateMachineArn=self._arn, statusFilter=RUNNING)[
            "executions"
        ]:
            self.follow(summary["executionArn"])

    def read(self, arn: str) -> Execution:
        """Read an execution and its whole history."""
        status = self._sfn.describe_execution(executionArn=arn)["status"]
        pages = self._sfn.get_paginator("get_execution_history").paginate(executionArn=arn)
        return Execution(arn, status, [event for page in pages for event in page["events"]])

    def _asks(self, execution: Execution) -> bool:
        return bool(self._asks_in) and execution.is_in(self._asks_in)


def _enters(event: Mapping[str, Any]) -> bool:
    return "stateEnteredEventDetails" in event


def _leaves(event: Mapping[str, Any]) -> bool:
    return "stateExitedEventDetails" in event


def _payloads(event: Mapping[str, Any]) -> Iterator[Any]:
    for details in event.values():
        for name in ("output", "input") if isinstance(details, Mapping) else ():
            if isinstance(details.get(name), str):
                yield json.loads(details[name])


def _objects(payloads: Iterator[Any]) -> Iterator[dict[str, Any]]:
    for payload in payloads:
        if isinstance(payload, dict):
            yield payload
            yield from _objects(iter(payload.values()))
        elif isinstance(payload, list):
            yield from _objects(iter(payload))


def _cause(text: str) -> str:
    """Take the message out of a cause that a function or a service wrote as JSON."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    if not isinstance(document, dict):
        return text
    names = ("errorMessage", "FailureReason", "ErrorMessage", "Cause", "message")
    return str(next((document[name] for name in names if document.get(name)), text))
