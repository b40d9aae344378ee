"""Histories of workflow executions, as Step Functions writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from cli.executions import Execution

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds):
    return START + timedelta(seconds=seconds)


def entered(name, seconds, payload=None):
    details = {"name": name, "input": json.dumps(payload or {})}
    return {
        "type": "TaskStateEntered",
        "timestamp": at(seconds),
        "stateEnteredEventDetails": details,
    }


def exited(name, seconds, payload=None):
    details = {"name": name, "output": json.dumps(payload or {})}
    return {
        "type": "TaskStateExited",
        "timestamp": at(seconds),
        "stateExitedEventDetails": details,
    }


def failed(error, cause, seconds):
    return {
        "type": "ExecutionFailed",
        "timestamp": at(seconds),
        "executionFailedEventDetails": {"error": error, "cause": cause},
    }


def execution(*events, status="SUCCEEDED", stopped=None):
    return Execution(
        arn="arn:aws:states:us-east-1:000000000000:execution:Workflow:one",
        status=status,
        started=START,
        stopped=at(stopped) if stopped is not None else None,
        events=list(events),
    )
