"""Managed spot training: interruptions, and checkpoints that outlive the machine.

`python -m localcloud interrupt-spot JOB` plays the reclaiming of the instance: it leaves a note in
the state folder, which the job's execution finds. The container gets a SIGTERM, then its two
minutes; afterwards the job goes on with its inputs and its checkpoints on a fresh machine.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.jobs.runs import Run
from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.transfer import TransferError, download_prefix, upload_file

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 0.2
SYNC_SECONDS = 1.0
NOTES = "spot_interruptions"
# What spot capacity costs of the full price; AWS bills by it, and so do we, at a fixed share.
PRICE_SHARE = 0.3


def check_spot(request: Mapping[str, Any]) -> None:
    """Check the time limits that belong to spot training."""
    stopping = request["StoppingCondition"]
    wait, spot = stopping.get("MaxWaitTimeInSeconds"), request.get("EnableManagedSpotTraining")
    if wait is not None and not spot:
        raise invalid(
            "MaxWaitTimeInSeconds above 0 is not supported when EnableManagedSpotTraining is false."
        )
    if spot and (wait is None or wait < stopping.get("MaxRuntimeInSeconds", 86400)):
        raise invalid(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds."
        )


class InterruptibleRun(Run):
    """An execution that may lose its machine and get another one."""

    def __init__(self, grace_seconds: float) -> None:
        super().__init__(grace_seconds)
        self.interrupted = False

    @property
    def cut_short(self) -> bool:
        """Tell whether the execution did not end by itself."""
        return self.interrupted or super().cut_short

    def interrupt(self) -> None:
        """Take the machine away; returns at once."""
        self.interrupted = True
        self.end_process()


class Interruptions:
    """Looks for the note that takes a job's machine away."""

    def __init__(self, folder: Path, job: str, run: InterruptibleRun) -> None:
        self._note = folder / job
        self._run = run
        self._done = threading.Event()

    def __enter__(self) -> None:
        self._note.unlink(missing_ok=True)
        threading.Thread(target=self._look, name="spot", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _look(self) -> None:
        while not self._done.wait(LOOK_SECONDS):
            if self._note.exists():
                self._note.unlink()
                self._run.interrupt()
                return


class Checkpoints:
    """Keeps a folder of the container and a place in S3 in step."""

    def __init__(self, s3: Any, config: Mapping[str, str], folder: Path) -> None:
        self._s3 = s3
        self._uri = config["S3Uri"].rstrip("/")
        self._folder = folder
        self._uploaded: dict[str, tuple[int, int]] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="checkpoints", daemon=True)

    def restore(self) -> None:
        """Bring back what an earlier machine, or an earlier job, has left."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            download_prefix(self._s3, f"{self._uri}/", self._folder)
        except TransferError as error:
            if "no S3 objects found" not in str(error):
                raise
        self._uploaded = self._versions()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        """Upload what is left; that it cannot be is the job's failure."""
        self._done.set()
        self._thread.join()
        self._upload()

    def _go_on(self) -> None:
        while not self._done.wait(SYNC_SECONDS):
            try:
                self._upload()
            except TransferError as error:  # the next round, or the last, may succeed
                LOG.warning("checkpoints to %s: %s", self._uri, error)

    def _upload(self) -> None:
        for name, version in self._versions().items():
            file = self._folder / name
            if self._uploaded.get(name) != version and file.exists():
                upload_file(self._s3, file, f"{self._uri}/{name}")
                self._uploaded[name] = version

    def _versions(self) -> dict[str, tuple[int, int]]:
        versions = {}
        for file in sorted(self._folder.rglob("*")):
            # A hidden file is one that is being written.
            if file.is_file() and not file.name.startswith("."):
                stat = file.stat()
                versions[file.relative_to(self._folder).as_posix()] = stat.st_mtime_ns, stat.st_size
        return versions
