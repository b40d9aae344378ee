"""Program that runs the daemon and, when either of them ends, leaves no process behind.

Run as `python -I -S guard.py COMMAND...`. It adopts every process that the daemon starts, however
deep (Linux: PR_SET_CHILD_SUBREAPER), so that functions, jobs and their children can be ended even
if the daemon was killed. SIGTERM ends the daemon gracefully first.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 30.0
HANDED_ON = ("LOCALCLOUD_LISTENER_FD", "LOCALCLOUD_READY_FD")  # descriptors of the daemon alone


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


def _descendants() -> list[int]:
    """Return every process below this one."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:  # it ended while we looked
            continue
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found = list(children.get(os.getpid(), []))
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def _kill_all() -> None:
    """Kill what is left, again and again until nothing new appears."""
    while pids := _descendants():
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _reap()


def _reap() -> None:
    """Collect the children that ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _start(command: list[str]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid != 0:
        for name in HANDED_ON:
            os.close(int(os.environ[name]))
        return pid
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    return os.execv(command[0], command)  # noqa: S606  the command is the point


def main(command: list[str]) -> int:
    """Run the command until it ends or until told to stop; return its exit status."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    daemon = _start(command)

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        os.kill(daemon, signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS)

    def overdue(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        os.kill(daemon, signal.SIGKILL)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGALRM, overdue)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == daemon:
            break
    signal.setitimer(signal.ITIMER_REAL, 0)
    _kill_all()
    return os.waitstatus_to_exitcode(status) & 0xFF


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
