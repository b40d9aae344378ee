"""The process groups that are alive, written down so that `down` can end what a crash left."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


class PidFolder:
    """One file per process group, named by its id, holding when the kernel started it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, pid: int) -> None:
        """Remember a process group."""
        (self._folder / str(pid)).write_text(_started(pid), encoding="ascii")

    def remove(self, pid: int) -> None:
        """Forget a process group."""
        (self._folder / str(pid)).unlink(missing_ok=True)

    def end_all(self) -> list[int]:
        """Kill every remembered group that is still the one remembered; tell which."""
        ended = []
        for file in self._folder.iterdir():
            pid = int(file.name)
            started = file.read_text(encoding="ascii")
            # A recycled pid has another start time: somebody else's process is never touched.
            if started and started == _started(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                    ended.append(pid)
            file.unlink(missing_ok=True)
        return ended


def _started(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
