"""Runs a command, and measures its time and the peak memory of all its processes together."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import psutil

INTERVAL_SECONDS = 0.2


class Measured(NamedTuple):
    """What a command took, and what it printed."""

    seconds: float
    peak_bytes: int
    output: str


def measure(command: Sequence[str], environment: Mapping[str, str], folder: str) -> Measured:
    """Run a command to its end; fail with its last words if it fails."""
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        env=dict(environment),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        sampler = _Sampler(process.pid)
        sampler.start()
        output, errors = process.communicate()
        seconds = time.perf_counter() - started
        sampler.stop()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{errors[-3000:]}")
    return Measured(seconds, sampler.peak_bytes, output)


class _Sampler(threading.Thread):
    """Adds up the resident memory of a process and its descendants, again and again."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._pid = pid
        self._ended = threading.Event()

    def run(self) -> None:
        """Sample until told to stop."""
        while not self._ended.wait(INTERVAL_SECONDS):
            self.peak_bytes = max(self.peak_bytes, _resident_bytes(self._pid))

    def stop(self) -> None:
        """End the sampling."""
        self._ended.set()
        self.join()


def _resident_bytes(pid: int) -> int:
    try:
        root = psutil.Process(pid)
        return sum(_resident(one) for one in (root, *root.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
