"""Runs a command; measures its time and its processes' peak memory and processor time together."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import psutil

INTERVAL_SECONDS = 0.2


class Measured(NamedTuple):
    """What a command took, and what it printed."""

    seconds: float
    peak_bytes: int
    processor_seconds: float
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
    return Measured(seconds, sampler.peak_bytes, sampler.processor_seconds, output)


class _Sampler(threading.Thread):
    """Adds up what a process and its descendants hold and have used, again and again."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._pid = pid
        self._processor_seconds: dict[int, float] = {}
        self._ended = threading.Event()

    @property
    def processor_seconds(self) -> float:
        """What all processes used, each until it was last seen."""
        return sum(self._processor_seconds.values())

    def run(self) -> None:
        """Sample until told to stop."""
        while not self._ended.wait(INTERVAL_SECONDS):
            self.peak_bytes = max(self.peak_bytes, sum(self._sample()))

    def stop(self) -> None:
        """End the sampling."""
        self._ended.set()
        self.join()

    def _sample(self) -> Iterator[int]:
        for process in _tree(self._pid):
            with contextlib.suppress(psutil.NoSuchProcess), process.oneshot():
                times = process.cpu_times()
                self._processor_seconds[process.pid] = times.user + times.system
                yield int(process.memory_info().rss)


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
