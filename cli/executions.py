"""Step Functions executions as an operator reads them: their steps, their failure, their data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cli.screen import Row, RowState

RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"

Event = Mapping[str, Any]


@dataclass
class Step:
    """One state of a workflow; one that runs more than once, in a Map or a loop, is one step."""

    name: str
    started: datetime
    ended: datetime | None = None
    running: int = 0

    def row(self, now: datetime, *, failed: bool) -> Row:
        """Return the step as a row of the display."""
        state: RowState = "running" if self.running else "done"
        if self.running and failed:
            state = "failed"
        ended = now if self.running or self.ended is None else self.ended
        return Row(self.name, state, max(0.0, (ended - self.started).total_seconds()))


@dataclass(frozen=True)
class Execution:
    """One execution with its history so far."""

    arn: str
    status: str
    started: datetime
    stopped: datetime | None
    events: Sequence[Event]

    @property
    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return self.status == RUNNING

    @property
    def seconds(self) -> float:
        """Return how long it has run."""
        return ((self.stopped or datetime.now(UTC)) - self.started).total_seconds()

    def rows(self) -> list[Row]:
        """Return its steps as rows of the display."""
        now = datetime.now(UTC)
        failed = self.status not in {RUNNING, SUCCEEDED}
        return [step.row(now, failed=failed) for step in steps(self.events)]

    def document(self, *keys: str) -> dict[str, Any]:
        """Return the latest payload that holds all of these keys; empty where none does."""
        for payload in payloads(reversed(self.events)):
            for found in objects_in(payload):
                if all(key in found for key in keys):
                    return found
        return {}

    def failure(self) -> str:
        """Return in its own words why it ended badly."""
        for event in reversed(self.events):
            words = failure_of(event)
            if words:
                return words
        return self.status


def steps(events: Sequence[Event]) -> list[Step]:
    """Read the states of a history, in the order of their first entry."""
    found: dict[str, Step] = {}
    for event in events:
        if event["type"].endswith("StateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            found.setdefault(name, Step(name, event["timestamp"])).running += 1
        elif event["type"].endswith("StateExited"):
            step = found[event["stateExitedEventDetails"]["name"]]
            step.running -= 1
            step.ended = event["timestamp"]
    return list(found.values())


def failure_of(event: Event) -> str:
    """Return the error and cause of an event, or nothing if it tells of none."""
    for key, details in event.items():
        if key.endswith("EventDetails") and isinstance(details, Mapping) and "error" in details:
            return f"{details['error']}: {readable_cause(str(details.get('cause', '')))}"
    return ""


def readable_cause(cause: str) -> str:
    """Take the message out of a cause that a Lambda or a service wrote as JSON."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    if not isinstance(document, dict):
        return cause
    names = ("errorMessage", "FailureReason", "ErrorMessage", "Cause", "message")
    return str(next((document[name] for name in names if document.get(name)), cause))


def payloads(events: Iterator[Event] | Sequence[Event]) -> Iterator[Any]:
    """Yield the JSON documents that states took and gave."""
    for event in events:
        for details in event.values():
            if isinstance(details, Mapping):
                yield from _documents(details)


def objects_in(payload: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object of a payload, the outer ones first."""
    if isinstance(payload, dict):
        yield payload
        payload = list(payload.values())
    if isinstance(payload, list):
        for item in payload:
            yield from objects_in(item)


def read_execution(sfn: Any, arn: str) -> Execution:
    """Read an execution and its whole history."""
    described = sfn.describe_execution(executionArn=arn)
    pages = sfn.get_paginator("get_execution_history").paginate(executionArn=arn)
    return Execution(
        arn=arn,
        status=described["status"],
        started=described["startDate"],
        stopped=described.get("stopDate"),
        events=[event for page in pages for event in page["events"]],
    )


def executions_since(sfn: Any, workflow_arn: str, moment: datetime) -> list[dict[str, Any]]:
    """List a workflow's executions that started at a moment or later, oldest first."""
    found: list[dict[str, Any]] = []
    for page in sfn.get_paginator("list_executions").paginate(stateMachineArn=workflow_arn):
        fresh = [item for item in page["executions"] if item["startDate"] >= moment]
        found.extend(fresh)
        if len(fresh) < len(page["executions"]):
            break
    return sorted(found, key=lambda item: (item["startDate"], item["executionArn"]))


def running_executions(sfn: Any, workflow_arn: str) -> list[str]:
    """List the ARNs of a workflow's running executions, oldest first."""
    answer = sfn.list_executions(stateMachineArn=workflow_arn, statusFilter=RUNNING)
    oldest_first = sorted(answer["executions"], key=lambda item: item["startDate"])
    return [item["executionArn"] for item in oldest_first]


def _documents(details: Mapping[str, Any]) -> Iterator[Any]:
    for name in ("output", "input", "parameters"):
        text = details.get(name)
        if isinstance(text, str):
            try:
                yield json.loads(text)
            except ValueError:
                continue
