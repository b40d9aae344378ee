"""The execution of one job run: the launcher, its logs, its states."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path

from localcloud.emr_serverless.documents import Document, Documents
from localcloud.emr_serverless.monitoring import JobLogs
from localcloud.jobs import completions
from localcloud.jobs.host import Host
from localcloud.jobs.runs import Run
from localcloud.spark_jobs.execution import Launch, Outcome, carry_out, machine_size

LOG = logging.getLogger(__name__)
STATES: dict[Outcome, str] = {
    "succeeded": "SUCCESS",
    "failed": "FAILED",
    "stopped": "CANCELLED",
    "timed out": "CANCELLED",
}
DEFAULT_TIMEOUT_MINUTES = 720


class Execution:
    """Calling it runs the job run to its end."""

    def __init__(
        self, host: Host, runs: Documents, run: Run, role: dict[str, str], job: Document
    ) -> None:
        self._host = host
        self._runs = runs
        self._run = run
        self._role = role
        self._job = job
        self._id: str = job["id"]

    def __call__(self) -> None:
        """Run; whatever happens, the run ends in a final state."""
        folder = self._host.folder("emr-work", self._id)
        try:
            state, details = self._execute(folder)
        except Exception as error:
            LOG.exception("job run %s", self._id)
            state, details = "FAILED", f"Internal service error: {error}"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        ended = time.time()
        self._runs.change(
            self._id,
            state=state,
            stateDetails=details,
            endedAt=ended,
            totalExecutionDurationSeconds=max(1, round(ended - self._job["createdAt"])),
        )
        completions.announce(self._job["arn"])

    def _execute(self, folder: Path) -> tuple[str, str]:
        logs = JobLogs(
            self._job.get("configurationOverrides", {}).get("monitoringConfiguration", {}),
            application=self._job["applicationId"],
            run=self._id,
            role=self._role,
            folder=folder,
        )
        minutes = self._job.get("executionTimeoutMinutes") or DEFAULT_TIMEOUT_MINUTES
        launch = Launch(
            module="localcloud.emr_serverless.launcher",
            specification={**self._job["specification"], **machine_size()},
            role=self._role,
            limit_seconds=minutes * 60,
            on_start=self._started,
            on_output=logs.output,
            on_error=logs.error,
        )
        try:
            outcome, reason = carry_out(self._host, self._run, launch, folder)
        finally:
            logs.close()
        if outcome == "timed out":
            reason = f"The job run exceeded its execution timeout of {minutes} minutes."
        return STATES[outcome], reason

    def _started(self) -> None:
        self._runs.change(self._id, state="RUNNING", startedAt=time.time())
