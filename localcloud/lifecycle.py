"""Starting and stopping the embedded AWS: one daemon a state folder, no process left behind."""

import datetime
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from localcloud.certificate import ensure_certificate
from localcloud.environment import daemon_environment, write_docker_launcher
from localcloud.state_folder import Running, StateFolder

NEEDED_DISK_BYTES = 1 << 30
_STOP_SECONDS = 45.0
_BACKLOG = 1024


class LocalCloudError(Exception):
    """Something keeps the embedded AWS from starting or stopping; the message says what to do."""


@dataclass(frozen=True)
class Started:
    """The outcome of `up`."""

    running: Running
    was_running: bool
    state_was_lost: bool  #: the last run was killed, so what it stored was thrown away
    seconds: float


def current(folder: StateFolder) -> Running | None:
    """Return what runs in the folder, if anything does."""
    return folder.running() if folder.is_held() else None


def up(folder: StateFolder, port: int | None, say: Callable[[str], None]) -> Started:
    """Start the embedded AWS unless it runs; `port` None means any free one."""
    began = time.monotonic()
    check_disk(folder, NEEDED_DISK_BYTES)
    folder.create()
    lock = folder.open_lock()
    if lock is None:
        return _already(folder, port)
    try:
        lost = folder.running() is not None
        if lost:
            say("the last run was killed and its state is incomplete: starting from a clean state")
            folder.clear_services()
            folder.forget_running()
        ensure_certificate(folder, datetime.datetime.now(datetime.UTC))
        write_docker_launcher(folder)
        running = _launch(folder, listen(port, folder.last_port()), lock)
    finally:
        os.close(lock)
    return Started(
        running, was_running=False, state_was_lost=lost, seconds=time.monotonic() - began
    )


def _already(folder: StateFolder, port: int | None) -> Started:
    running = folder.running()
    if running is None:
        raise LocalCloudError(f"another 'up' or 'down' is working in {folder.root}: try again")
    if port not in {None, running.port}:
        message = f"it already runs on port {running.port}: 'down' first, or leave out --port"
        raise LocalCloudError(message)
    return Started(running, was_running=True, state_was_lost=False, seconds=0.0)


def check_disk(folder: StateFolder, needed_bytes: int) -> None:
    """Refuse to start on a disk that will soon be full."""
    existing = next(each for each in (folder.root, *folder.root.parents) if each.exists())
    free = shutil.disk_usage(existing).free
    if free < needed_bytes:
        raise LocalCloudError(
            f"{existing} has {free >> 20} MB free and {needed_bytes >> 20} MB are needed: "
            "free some space, or name a folder on another disk with --state"
        )


def listen(port: int | None, last_port: int | None) -> socket.socket:
    """Take the port before anything is started, so that a taken one is noticed without a race."""
    wanted = [port] if port is not None else [last_port or 0, 0]
    for number in wanted:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", number))
        except OSError:
            listener.close()
            continue
        listener.listen(_BACKLOG)
        return listener
    raise LocalCloudError(
        f"port {port} of 127.0.0.1 is taken by another program: "
        "stop that program, or choose a free port with --port auto"
    )


def _launch(folder: StateFolder, listener: socket.socket, lock: int) -> Running:
    """Start guard and daemon and wait until the daemon says that it answers."""
    port = listener.getsockname()[1]
    ready, report = os.pipe()
    environment = daemon_environment(folder, port) | {
        "LOCALCLOUD_LISTENER_FD": str(listener.fileno()),
        "LOCALCLOUD_READY_FD": str(report),
    }
    guard = Path(__file__).with_name("guard.py")
    with folder.log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, "-I", "-S", str(guard), sys.executable, "-m", "localcloud.daemon"],
            env=environment,
            cwd=folder.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(listener.fileno(), report, lock),
        )
    listener.close()
    os.close(report)
    running = Running(process.pid, port)
    folder.record(running)
    folder.keep_port(port)
    with os.fdopen(ready, "rb") as pipe:
        if pipe.read() != b"ready":
            folder.forget_running()
            raise LocalCloudError(f"the daemon ended while it started:\n{tail(folder.log, 15)}")
    return running


def down(folder: StateFolder) -> bool:
    """Stop everything that runs in the folder; return whether something ran."""
    running = current(folder)
    if running is None:
        return False
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while folder.is_held():
        if time.monotonic() > deadline:
            raise LocalCloudError(f"process {running.pid} does not stop; its log is {folder.log}")
        time.sleep(0.05)
    if folder.running() is not None:
        raise LocalCloudError(
            "everything is stopped, but the daemon had to be killed or failed, so the next 'up' "
            f"will start from a clean state; the end of {folder.log}:\n{tail(folder.log, 15)}"
        )
    return True


def tail(path: Path, lines: int) -> str:
    """Return the last lines of a file."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
