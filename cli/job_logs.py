"""`fourblocks logs`: what jobs and functions wrote to CloudWatch Logs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError
from rich.table import Table

from cli.errors import NotThereError
from cli.screen import console

if TYPE_CHECKING:
    from cli.target import Target

TRAINING_GROUP = "/aws/sagemaker/TrainingJobs"
PROCESSING_GROUP = "/aws/sagemaker/ProcessingJobs"
GROUP_PREFIXES = (
    "/aws/sagemaker/",
    "/aws-glue/jobs/",
    "/aws/lambda/Fourblocks",
    "/aws/vendedlogs/",
)
STREAMS_SHOWN = 3
POLL_SECONDS = 1.0


class Stream(NamedTuple):
    """One log stream."""

    group: str
    name: str
    last_event_milliseconds: int


def last_line(target: Target, group: str, stream_prefix: str) -> str:
    """Return the last line of a job's log, or nothing before its first."""
    found = streams(target, group, stream_prefix)
    if not found:
        return ""
    events = target.client("logs").get_log_events(
        logGroupName=group, logStreamName=found[0].name, limit=1, startFromHead=False
    )["events"]
    return str(events[-1]["message"]).strip() if events else ""


def streams(target: Target, group: str, prefix: str = "") -> list[Stream]:
    """List a group's streams whose names begin with a prefix, the latest first."""
    options: dict[str, Any] = {"logStreamNamePrefix": prefix} if prefix else {}
    try:
        answer = target.client("logs").describe_log_streams(logGroupName=group, **options)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return []
        raise
    found = [
        Stream(group, item["logStreamName"], item.get("lastEventTimestamp", 0))
        for item in answer["logStreams"]
    ]
    return sorted(found, key=lambda stream: stream.last_event_milliseconds, reverse=True)


def groups(target: Target) -> list[str]:
    """List the log groups of the platform's jobs and functions."""
    paginator = target.client("logs").get_paginator("describe_log_groups")
    pages = (
        page for prefix in GROUP_PREFIXES for page in paginator.paginate(logGroupNamePrefix=prefix)
    )
    return [group["logGroupName"] for page in pages for group in page["logGroups"]]


def show_overview(target: Target) -> None:
    """Print the latest streams of each group."""
    table = Table("log group", "stream", "last line at", box=None)
    for column in table.columns:
        column.overflow = "fold"  # a name that is cut could not be asked for
    for group in groups(target):
        for stream in streams(target, group)[:STREAMS_SHOWN]:
            table.add_row(group, stream.name, moment(stream.last_event_milliseconds))
    console.print(table)
    console.print("  read one: fourblocks logs NAME (a job, a stream or a log group)", style="dim")


def find_stream(target: Target, name: str) -> Stream:
    """Find the latest stream of a group, or the one whose name begins with `name`.

    Raises:
        NotThereError: no log has this name.

    """
    if name.startswith("/"):
        found = streams(target, name)
    else:
        found = [stream for group in groups(target) for stream in streams(target, group, name)]
    if not found:
        message = f"No log is called {name}. List them: {target.command('logs')}"
        raise NotThereError(message)
    return found[0]


def lines(target: Target, stream: Stream, *, follow: bool) -> Iterator[str]:
    """Yield a stream's lines; with `follow`, wait for more."""
    logs = target.client("logs")
    token: dict[str, str] = {}
    while True:
        page = logs.get_log_events(
            logGroupName=stream.group, logStreamName=stream.name, startFromHead=True, **token
        )
        yield from (str(event["message"]).rstrip("\n") for event in page["events"])
        at_end = token.get("nextToken") == page["nextForwardToken"]
        token = {"nextToken": page["nextForwardToken"]}
        if at_end and not follow:
            return
        if at_end:
            time.sleep(POLL_SECONDS)


def show_log(target: Target, name: str, *, follow: bool) -> None:
    """Print a log from its beginning."""
    stream = find_stream(target, name)
    console.print(f"{stream.group} {stream.name}", style="bold", markup=False)
    for line in lines(target, stream, follow=follow):
        console.print(line, markup=False)


def moment(milliseconds: int) -> str:
    """Write an epoch time as UTC, or nothing for none."""
    if not milliseconds:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
