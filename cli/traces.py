"""`fourblocks logs --correlation-id`: all that functions wrote about one request, in order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cli.errors import NotThereError
from cli.job_logs import moment
from cli.screen import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.target import Target

HIDDEN = ("timestamp", "level", "function", "message", "correlation_id")


def show_trace(target: Target, correlation_id: str) -> None:
    """Print the lines that carry a correlation id, from all functions of the environment.

    Raises:
        NotThereError: no line carries it.

    """
    found = sorted(traced(target, correlation_id), key=lambda event: int(event["timestamp"]))
    if not found:
        message = f"No log line carries {correlation_id}; logs are kept for a limited time."
        raise NotThereError(message)
    for event in found:
        console.print(line(event), markup=False, highlight=False)


def traced(target: Target, correlation_id: str) -> Iterator[dict[str, Any]]:
    """Yield the events of the environment's log groups that carry a correlation id."""
    logs = target.client("logs")
    for group in function_groups(target):
        events = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=f'"{correlation_id}"'
        )
        for found in events:
            yield from found["events"]


def function_groups(target: Target) -> Iterator[str]:
    """Yield the log groups that CloudFormation named after the environment's stacks."""
    stacks = f"Fourblocks-{target.environment}-"
    for prefix in (stacks, f"/aws/cloudformation/{stacks}"):
        pages = (
            target.client("logs")
            .get_paginator("describe_log_groups")
            .paginate(logGroupNamePrefix=prefix)
        )
        for page in pages:
            yield from (group["logGroupName"] for group in page["logGroups"])


def line(event: dict[str, Any]) -> str:
    """Write an event in one line: when, which function, what, and the other fields."""
    at, text = moment(int(event["timestamp"])), str(event["message"]).strip()
    try:
        said = json.loads(text)
    except ValueError:
        return f"{at} {text}"
    fields = " ".join(f"{name}={value}" for name, value in said.items() if name not in HIDDEN)
    return f"{at} {said.get('function', '')}: {said.get('message', '')} {fields}".rstrip()
