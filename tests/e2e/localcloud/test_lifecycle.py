"""Starting, stopping, dying: no process stays, and state is kept whole or not at all."""

import json
import os
import signal
import socket
from pathlib import Path

import pytest

from localcloud.memory import resident_bytes
from tests.e2e.localcloud.conftest import Cloud


@pytest.fixture
def own(tmp_path):
    """An embedded AWS of this test alone."""
    running = Cloud(tmp_path / "state")
    running.command("up", "--port", "auto", check=True)
    yield running
    running.command("down", check=True)


def guard_of(cloud):
    return json.loads((cloud.state / "running.json").read_text())["pid"]


def alive(pids):
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def traces_in_tmp():
    """Return what somebody wrote to /tmp by name, whatever TMPDIR says."""
    names = {each.name for each in Path("/tmp").iterdir()}  # noqa: S108  nothing is written there
    return {name for name in names if "ministack" in name or "localcloud" in name}


def test_a_second_up_changes_nothing(cloud):
    before = guard_of(cloud)

    answer = cloud.command("up", check=True)

    assert "already running" in answer.stdout
    assert guard_of(cloud) == before


def test_a_second_up_with_another_port_is_refused(cloud):
    answer = cloud.command("up", "--port", "4729")

    assert answer.returncode == 1
    assert "already runs on port" in answer.stderr


def test_a_taken_port_is_named_with_the_remedy(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = Cloud(tmp_path / "other").command("up", "--port", str(port))

    assert answer.returncode == 1
    assert f"port {port}" in answer.stderr
    assert "--port auto" in answer.stderr


def test_down_leaves_no_process_nothing_outside_its_folder_and_no_error_in_its_log(
    tmp_path, monkeypatch, wait_until
):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for each in ("temporary", "home"):
        (tmp_path / each).mkdir()
    before = traces_in_tmp()
    running = Cloud(tmp_path / "state")
    running.command("up", "--port", "auto", check=True)
    running.client("s3").create_bucket(Bucket="some-bucket")  # its connection stays open
    pids = list(resident_bytes(guard_of(running)))

    running.command("down", check=True)

    assert len(pids) >= 2
    assert wait_until(lambda: not alive(pids), seconds=10)
    assert running.command("status").returncode == 3
    assert {each.name for each in tmp_path.iterdir()} == {"home", "state", "temporary"}
    assert list((tmp_path / "temporary").iterdir()) == list((tmp_path / "home").iterdir()) == []
    assert traces_in_tmp() <= before
    assert "Traceback" not in (running.state / "daemon.log").read_text()


@pytest.mark.parametrize("victim", ["guard", "daemon"])
def test_a_killed_daemon_takes_everything_along_and_starts_clean(own, wait_until, victim):
    own.client("s3").create_bucket(Bucket="half-kept")
    pids = sorted(resident_bytes(guard_of(own)))
    guard = guard_of(own)
    os.kill(guard if victim == "guard" else next(p for p in pids if p != guard), signal.SIGKILL)
    assert wait_until(lambda: not alive(pids), seconds=10)

    answer = own.command("up", "--port", "auto", check=True)

    assert "starting from a clean state" in answer.stdout
    assert own.client("s3").list_buckets()["Buckets"] == []
