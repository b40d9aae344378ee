"""The running task: on whose behalf it runs, until when, and what ends it early."""

import contextvars
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Task:
    """One attempt of a task state."""

    role_arn: str
    execution: Mapping[str, Any]
    deadline: float | None = None  #: on the monotonic clock

    @property
    def execution_name(self) -> str:
        """Return the execution's name, which names the role session too."""
        return str(self.execution["name"])

    def is_stopped(self) -> bool:
        """Return whether somebody stopped the execution."""
        return bool(self.execution["status"] != "RUNNING")

    def is_overdue(self) -> bool:
        """Return whether the task's own timeout has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def within(self, seconds: float) -> "Task":
        """Return the task with its timeout set."""
        return replace(self, deadline=time.monotonic() + seconds)


CURRENT: contextvars.ContextVar[Task] = contextvars.ContextVar("current_task")


def role_of_execution(execution: Mapping[str, Any]) -> str:
    """Return the role that an execution was started with."""
    details = execution["events"][0]["executionStartedEventDetails"]
    return str(details["roleArn"])
