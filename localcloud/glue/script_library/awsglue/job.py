"""The job object that Glue scripts initialise and commit."""

from __future__ import annotations

from collections.abc import Mapping


class Job:
    """Marks the begin and the end of a job; there are no bookmarks to keep."""

    def __init__(self, glue_context: object) -> None:
        self.glue_context = glue_context
        self.name = ""

    def init(self, job_name: str, args: Mapping[str, str] | None = None) -> None:  # noqa: ARG002
        """Begin the job."""
        self.name = job_name

    def commit(self) -> None:
        """End the job."""
