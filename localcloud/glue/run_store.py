"""Job runs by job, in memory and in the state folder."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

Document = dict[str, Any]
ACTIVE = ("STARTING", "RUNNING", "STOPPING")


class RunStore:
    """Each run is one JSON document; newest first, as Glue lists them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        files = folder.glob("*.json")
        runs = [json.loads(file.read_text("utf-8")) for file in files]
        self._runs: dict[str, Document] = {run["Id"]: run for run in runs}

    def start(self, run: Document, limit: int) -> bool:
        """Add a run unless as many as allowed are active; tell whether it was added."""
        with self._lock:
            active = [r for r in self.of_job(run["JobName"]) if r["JobRunState"] in ACTIVE]
            if len(active) >= limit:
                return False
            self._runs[run["Id"]] = run
            self._write(run)
            return True

    def change(self, run_id: str, **fields: object) -> None:
        """Set fields of a run."""
        with self._lock:
            self._runs[run_id].update(fields, LastModifiedOn=time.time())
            self._write(self._runs[run_id])

    def find(self, job_name: str, run_id: str) -> Document | None:
        """Copy a run."""
        with self._lock:
            run = self._runs.get(run_id)
            return dict(run) if run and run["JobName"] == job_name else None

    def of_job(self, job_name: str) -> list[Document]:
        """Copy the runs of a job, the newest first."""
        with self._lock:
            runs = [dict(run) for run in self._runs.values() if run["JobName"] == job_name]
        return sorted(runs, key=lambda run: run["StartedOn"], reverse=True)

    def active(self) -> list[Document]:
        """Copy all runs that have not ended."""
        with self._lock:
            return [dict(run) for run in self._runs.values() if run["JobRunState"] in ACTIVE]

    def _write(self, run: Document) -> None:
        file = self._folder / f"{run['Id']}.json"
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(run), encoding="utf-8")
        partial.replace(file)
