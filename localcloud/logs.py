"""Reads logs: the daemon's file, or a log group of the embedded CloudWatch Logs."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from localcloud.lifecycle import LocalCloudError

_NEW_LINES_SECONDS = 0.5


def file_lines(path: Path, *, follow: bool) -> Iterator[str]:
    """Return the lines of a file, and those that are still to come if asked to follow."""
    if not path.exists():
        raise LocalCloudError(f"there is no log yet at {path}: start the embedded AWS with 'up'")
    with path.open(errors="replace") as file:
        while True:
            for line in file:
                yield line.rstrip("\n")
            if not follow:
                return
            time.sleep(_NEW_LINES_SECONDS)


def group_lines(variables: Mapping[str, str], group: str, *, follow: bool) -> Iterator[str]:
    """Return a log group's events in order of time, as `time stream message`."""
    client = boto3.client(
        "logs",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        verify=variables["AWS_CA_BUNDLE"],
    )
    pages = client.get_paginator("filter_log_events")
    seen: set[str] = set()
    start = 0
    while True:
        try:
            events = list(pages.paginate(logGroupName=group, startTime=start).search("events[]"))
        except ClientError as error:
            raise LocalCloudError(
                f"log group {group}: {error.response['Error']['Message']}"
            ) from error
        for event in sorted(events, key=lambda each: int(each["timestamp"])):
            if event["eventId"] in seen:
                continue
            seen.add(event["eventId"])
            start = max(start, int(event["timestamp"]))
            at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).isoformat(
                " ", "milliseconds"
            )
            yield f"{at} {event['logStreamName']} {event['message'].rstrip()}"
        if not follow:
            return
        time.sleep(_NEW_LINES_SECONDS)
