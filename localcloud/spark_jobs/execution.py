"""One run of a launcher as a supervised process: its lines, its limit, its end."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from localcloud.jobs.host import Host, process_environment
from localcloud.jobs.process import JobProcess, LineReader
from localcloud.jobs.runs import Run
from localcloud.spark_jobs.failure import failure_reason

STOP_GRACE_SECONDS = 5.0
TAIL_LINES = 400
PACKAGES = Path(__file__).parents[2]
MEMORY_VARIABLE = "LOCALCLOUD_SPARK_MEMORY"
CORES_VARIABLE = "LOCALCLOUD_SPARK_CORES"
Outcome = Literal["succeeded", "failed", "stopped", "timed out"]


@dataclass(frozen=True)
class Launch:
    """A launcher module, what it is told, and who listens."""

    module: str
    specification: dict[str, Any]
    role: dict[str, str]
    limit_seconds: float
    on_start: Callable[[], None]
    on_output: LineReader
    on_error: LineReader


def machine_size() -> dict[str, Any]:
    """Tell the memory and the cores that this machine gives to one job's Spark."""
    return {
        "memory": os.environ.get(MEMORY_VARIABLE, "2g"),
        "cores": int(os.environ.get(CORES_VARIABLE, os.cpu_count() or 1)),
    }


def carry_out(host: Host, run: Run, launch: Launch, folder: Path) -> tuple[Outcome, str]:
    """Run a launcher to its end, in a folder; give the outcome and what went wrong."""
    file = folder / "specification.json"
    file.write_text(json.dumps({**launch.specification, "folder": str(folder)}), "utf-8")
    tail: deque[str] = deque(maxlen=TAIL_LINES)

    def read_error(line: str) -> None:
        tail.append(line)
        launch.on_error(line)

    def start() -> JobProcess:
        search = os.pathsep.join([str(PACKAGES), os.environ.get("PYTHONPATH", "")]).strip(":")
        process = JobProcess(
            [sys.executable, "-m", launch.module, str(file)],
            folder=folder,
            environment=process_environment(
                launch.role, {"PYTHONPATH": search, "TMPDIR": str(folder)}
            ),
            pids=host.pids,
            on_output=launch.on_output,
            on_error=read_error,
        )
        launch.on_start()
        return process

    process = run.execute(start, launch.limit_seconds)
    return _outcome(run, process, list(tail))


def _outcome(run: Run, process: JobProcess | None, tail: list[str]) -> tuple[Outcome, str]:
    if run.timed_out:
        return "timed out", ""
    if run.stopped or process is None:
        return "stopped", ""
    if process.exit_code != 0:
        return "failed", failure_reason(tail, process.exit_code)
    return "succeeded", ""
