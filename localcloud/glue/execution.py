"""The execution of one job run: the launcher, its logs, its end."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import time
from collections import deque
from pathlib import Path

from localcloud.glue.failure import failure_reason
from localcloud.glue.run_store import Document, RunStore
from localcloud.jobs import completions
from localcloud.jobs.host import Host, client, process_environment
from localcloud.jobs.log_delivery import LogStream
from localcloud.jobs.process import JobProcess
from localcloud.jobs.runs import Run

LOG = logging.getLogger(__name__)
STOP_GRACE_SECONDS = 5.0
TAIL_LINES = 400
OUTPUT_GROUP = "/aws-glue/jobs/output"
ERROR_GROUP = "/aws-glue/jobs/error"
PACKAGES = Path(__file__).parents[2]


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
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

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
        file = folder / "specification.json"
        file.write_text(json.dumps({**self._specification, "folder": str(folder)}), "utf-8")
        logs = client("logs", self._role)
        output = LogStream(logs, OUTPUT_GROUP, self._id)
        errors = LogStream(logs, ERROR_GROUP, self._id)
        try:
            process = self._run.execute(
                lambda: self._start(file, folder, output, errors),
                self._specification["timeout_minutes"] * 60,
            )
        finally:
            output.close()
            errors.close()
        return self._ending(process)

    def _start(self, file: Path, folder: Path, output: LogStream, errors: LogStream) -> JobProcess:
        def read_error(line: str) -> None:
            self._tail.append(line)
            errors.write(line)

        search = os.pathsep.join([str(PACKAGES), os.environ.get("PYTHONPATH", "")]).strip(":")
        process = JobProcess(
            [sys.executable, "-m", "localcloud.glue.launcher", str(file)],
            folder=folder,
            environment=process_environment(
                self._role, {"PYTHONPATH": search, "TMPDIR": str(folder)}
            ),
            pids=self._host.pids,
            on_output=output.write,
            on_error=read_error,
        )
        self._store.change(self._id, JobRunState="RUNNING")
        return process

    def _ending(self, process: JobProcess | None) -> tuple[str, str]:
        if self._run.timed_out:
            return "TIMEOUT", "Job run exceeded its timeout."
        if self._run.stopped or process is None:
            return "STOPPED", ""
        if process.exit_code != 0:
            return "FAILED", failure_reason(list(self._tail), process.exit_code)
        return "SUCCEEDED", ""
