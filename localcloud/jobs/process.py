"""One supervised child process: started, read line by line, stopped, waited for."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from localcloud.jobs.pids import PidFolder

LEASH = Path(__file__).with_name("leash.py")
LINE_BYTES = 256 * 1024  # the size limit of a CloudWatch Logs event
DRAIN_SECONDS = 5.0

# The kernel ties a child to the *thread* that started it: this one lives as long as the daemon.
_STARTER = ThreadPoolExecutor(1, thread_name_prefix="job-starter")

LineReader = Callable[[str], None]


class JobProcess:
    """A command in its own process group."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        pids: PidFolder,
        on_output: LineReader,
        on_error: LineReader | None = None,
    ) -> None:
        self._pids = pids
        self._done = threading.Event()
        self.exit_code: int | None = None
        self.peak_memory_bytes = 0
        leashed = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(folder), *command]
        self._process = _STARTER.submit(
            subprocess.Popen,
            leashed,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if on_error else subprocess.STDOUT,
            start_new_session=True,
        ).result()
        self.pid = self._process.pid
        pids.add(self.pid)
        readers = [_reader(self._process.stdout, on_output)]
        if on_error:
            readers.append(_reader(self._process.stderr, on_error))
        threading.Thread(target=self._watch, args=(readers,), daemon=True).start()

    @property
    def running(self) -> bool:
        """Tell whether the process has not ended yet."""
        return not self._done.is_set()

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the process has ended and its output is read; tell whether it has."""
        return self._done.wait(timeout_seconds)

    def stop(self, grace_seconds: float) -> None:
        """Ask the group to end, and after the grace period make it."""
        self._signal(signal.SIGTERM)
        if not self._done.wait(grace_seconds):
            self._signal(signal.SIGKILL)
            self._done.wait(DRAIN_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.running:
                os.killpg(self.pid, number)

    def _watch(self, readers: list[threading.Thread]) -> None:
        _, status, usage = os.wait4(self.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.peak_memory_bytes = usage.ru_maxrss * 1024
        # Whatever the command left in its group would keep running, and keep the pipes open.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for reader in readers:
            reader.join(DRAIN_SECONDS)
        self._pids.remove(self.pid)
        self.exit_code = _as_a_shell_says(self._process.returncode)
        self._done.set()


def _as_a_shell_says(code: int) -> int:
    """Return an exit code as containers have it: 137 for what the kernel or somebody killed."""
    return code if code >= 0 else 128 - code


def _reader(stream: IO[bytes] | None, consume: LineReader) -> threading.Thread:
    def read() -> None:
        if stream is not None:
            for line in iter(lambda: stream.readline(LINE_BYTES), b""):
                consume(line.decode("utf-8", "replace").rstrip("\r\n"))
            stream.close()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread
