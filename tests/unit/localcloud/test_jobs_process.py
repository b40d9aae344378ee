"""Child processes: what they print arrives, they end when told, and they outlive nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from localcloud.jobs.pids import PidFolder
from localcloud.jobs.process import JobProcess
from localcloud.jobs.runs import Run


@pytest.fixture
def start(tmp_path):
    def begin(code: str, **options) -> JobProcess:
        lines: list[str] = []
        process = JobProcess(
            [sys.executable, "-u", "-c", textwrap.dedent(code)],
            folder=tmp_path,
            environment={**os.environ},
            pids=PidFolder(tmp_path / "pids"),
            **{"on_output": lines.append, **options},
        )
        process.lines = lines
        return process

    return begin


def test_output_arrives_line_by_line_and_the_exit_code_is_kept(start):
    process = start("import sys; print('one'); print('zwei \\u00fc'); sys.exit(5)")
    assert process.wait(10)
    assert process.lines == ["one", "zwei ü"]
    assert process.exit_code == 5
    assert process.peak_memory_bytes > 1_000_000


def test_errors_can_be_read_apart(start):
    errors: list[str] = []
    process = start(
        "import sys; print('out'); print('err', file=sys.stderr)", on_error=errors.append
    )
    assert process.wait(10)
    assert (process.lines, errors) == (["out"], ["err"])


def test_a_command_that_does_not_exist_says_so(tmp_path):
    lines: list[str] = []
    process = JobProcess(
        ["no-such-program"],
        folder=tmp_path,
        environment={"PATH": os.environ["PATH"]},
        pids=PidFolder(tmp_path / "pids"),
        on_output=lines.append,
    )
    assert process.wait(10)
    assert process.exit_code == 127
    assert lines == ["no-such-program: No such file or directory"]


def test_a_process_that_ignores_the_polite_request_is_killed(start):
    ready = threading.Event()
    process = start(
        """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready")
        time.sleep(60)
        """,
        on_output=lambda _line: ready.set(),
    )
    assert ready.wait(10)
    process.stop(grace_seconds=0.2)
    assert process.exit_code == 128 + signal.SIGKILL


def state_of(pid):
    found = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()[:1]


def test_what_a_process_started_ends_with_it(start):
    process = start(
        """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(child.pid)
        """
    )
    assert process.wait(10)
    child = int(process.lines[0])
    # Killed children are the init process's to reap; a zombie no longer runs.
    deadline = time.monotonic() + 10
    while state_of(child) not in ("", "Z"):
        assert time.monotonic() < deadline


def test_a_limit_and_a_stop_are_told_apart(start):
    limited = Run(grace_seconds=1)
    process = limited.execute(lambda: start("import time; time.sleep(60)"), limit_seconds=0.2)
    assert (limited.timed_out, limited.stopped, process.running) == (True, False, False)

    stopped = Run(grace_seconds=1)
    stopped.stop()
    assert stopped.execute(lambda: start("print(1)"), limit_seconds=5) is None


def test_only_remembered_processes_that_are_still_the_same_are_ended(tmp_path, start):
    process = start("import time; time.sleep(60)")
    folder = PidFolder(tmp_path / "pids")
    (tmp_path / "pids" / str(os.getpid())).write_text("0")  # a recycled number: not ours
    assert folder.end_all() == [process.pid]
    assert process.wait(10)
    assert list((tmp_path / "pids").iterdir()) == []
