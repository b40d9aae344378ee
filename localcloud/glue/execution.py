"""The execution of one Glue job run: the launcher, its logs, its end."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path

from localcloud.glue.run_store import Document, RunStore
from localcloud.jobs import completions
from localcloud.jobs.host import Host, client
from localcloud.jobs.log_delivery import LogStream
from localcloud.jobs.runs import Run
from localcloud.spark_jobs.execution import Launch, Outcome, carry_out

LOG = logging.getLogger(__name__)
OUTPUT_GROUP = "/aws-glue/jobs/output"
ERROR_GROUP = "/aws-glue/jobs/error"
STATES: dict[Outcome, str] = {
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "stopped": "STOPPED",
    "timed out": "TIMEOUT",
}


class Execution:
    """Calling it runs the job run to its end."""

    def __init__(
        self,
        host: Host,
        store: RunStore,
        run: Run,
        role: dict[str, str],
        specification: Document,
    ) -> None:
        self._host = host
        self._store = store
        self._run = run
        self._role = role
        self._specification = specification
        self._id: str = specification["run_id"]

    def __call__(self) -> None:
        """Run; whatever happens, the run ends in a final state."""
        folder = self._host.folder("glue-work", self._id)
        started = time.time()
        try:
            state, reason = self._execute(folder)
        except Exception as error:
            LOG.exception("job run %s", self._id)
            state, reason = "FAILED", f"Internal service error: {error}"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        ended = time.time()
        self._store.change(
            self._id,
            JobRunState=state,
            ErrorMessage=reason or None,
            CompletedOn=ended,
            ExecutionTime=max(1, round(ended - started)),
        )
        completions.announce(self._id)

    def _execute(self, folder: Path) -> tuple[str, str]:
        logs = client("logs", self._role)
        output = LogStream(logs, OUTPUT_GROUP, self._id)
        errors = LogStream(logs, ERROR_GROUP, self._id)
        launch = Launch(
            module="localcloud.glue.launcher",
            specification=self._specification,
            role=self._role,
            limit_seconds=self._specification["timeout_minutes"] * 60,
            on_start=lambda: self._store.change(self._id, JobRunState="RUNNING"),
            on_output=output.write,
            on_error=errors.write,
        )
        try:
            outcome, reason = carry_out(self._host, self._run, launch, folder)
        finally:
            output.close()
            errors.close()
        if outcome == "timed out":
            reason = "Job run exceeded its timeout."
        return STATES[outcome], reason
