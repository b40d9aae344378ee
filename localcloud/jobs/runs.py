"""One execution of a job that another thread may stop, with a limit on its time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from localcloud.jobs.process import JobProcess


class Run:
    """Starts at most one process; knows whether it ended by itself, by a stop or by its limit."""

    def __init__(self, grace_seconds: float) -> None:
        self.stopped = False
        self.timed_out = False
        self._grace_seconds = grace_seconds
        self._process: JobProcess | None = None
        self._lock = threading.Lock()

    @property
    def cut_short(self) -> bool:
        """Tell whether the execution did not end by itself."""
        return self.stopped or self.timed_out

    def execute(self, start: Callable[[], JobProcess], limit_seconds: float) -> JobProcess | None:
        """Run to the end; a run stopped before it began starts nothing."""
        with self._lock:
            if self.stopped:
                return None
            process = self._process = start()
        if not process.wait(limit_seconds):
            self.timed_out = True
            process.stop(self._grace_seconds)
        return process

    def stop(self) -> None:
        """End the execution, politely first; returns at once."""
        with self._lock:
            self.stopped = True
        self.end_process()

    def end_process(self) -> None:
        """Ask the process to end, then make it; returns at once."""
        process = self._process
        if process:
            threading.Thread(target=process.stop, args=(self._grace_seconds,), daemon=True).start()


class Runs:
    """The executions under way, by job."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def begin(self, job: str, run: Run, work: Callable[[], None]) -> None:
        """Carry out a job's work in the background."""
        with self._lock:
            self._runs[job] = run

        def carry_out() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._runs.pop(job, None)

        threading.Thread(target=carry_out, name=f"job-{job}", daemon=True).start()

    def stop(self, job: str) -> bool:
        """Stop a job; tell whether it was under way."""
        with self._lock:
            run = self._runs.get(job)
        if run:
            run.stop()
        return run is not None
