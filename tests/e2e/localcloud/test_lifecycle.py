"""Starting, stopping, dying: no process stays, and state is kept whole or not at all."""

import json
import os
import signal
import socket
import time

import pytest

from localcloud.memory import resident_bytes


@pytest.fixture
def own(tmp_path, cloud):
    """An embedded AWS of this test alone."""
    running = type(cloud)(tmp_path / "state")
    assert running.command("up", "--port", "auto").returncode == 0
    yield running
    assert running.command("down").returncode == 0


def guard_of(cloud):
    return json.loads((cloud.state / "running.json").read_text())["pid"]


def are_gone(pids, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(os.path.exists(f"/proc/{pid}") for pid in pids):
            return True
        time.sleep(0.05)
    return False


def test_a_second_up_changes_nothing(own):
    before = guard_of(own)

    answer = own.command("up")

    assert answer.returncode == 0
    assert "already running" in answer.stdout
    assert guard_of(own) == before


def test_a_taken_port_is_named_with_the_remedy(tmp_path, cloud):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = type(cloud)(tmp_path / "other").command("up", "--port", str(port))

    assert answer.returncode == 1
    assert f"port {port}" in answer.stderr
    assert "--port auto" in answer.stderr


def test_down_leaves_no_process(tmp_path, cloud):
    running = type(cloud)(tmp_path / "state")
    assert running.command("up", "--port", "auto").returncode == 0
    pids = list(resident_bytes(guard_of(running)))

    assert running.command("down").returncode == 0

    assert len(pids) >= 2
    assert are_gone(pids)
    assert running.command("status").returncode == 3


@pytest.mark.parametrize("victim", ["guard", "daemon"])
def test_a_killed_daemon_takes_everything_along_and_starts_clean(tmp_path, cloud, victim):
    running = type(cloud)(tmp_path / "state")
    assert running.command("up", "--port", "auto").returncode == 0
    running.client("s3").create_bucket(Bucket="half-kept")
    pids = sorted(resident_bytes(guard_of(running)))
    guard = guard_of(running)
    os.kill(guard if victim == "guard" else next(p for p in pids if p != guard), signal.SIGKILL)
    assert are_gone(pids)

    answer = running.command("up", "--port", "auto")

    assert "starting from a clean state" in answer.stdout
    assert running.client("s3").list_buckets()["Buckets"] == []
    assert running.command("down").returncode == 0


def test_a_deployed_stack_survives_down_and_up(tmp_path, cloud, deploy):
    running = type(cloud)(tmp_path / "state")
    assert running.command("up", "--port", "auto").returncode == 0
    outputs = deploy(running).outputs
    lambdas, tables = running.client("lambda"), running.client("dynamodb")
    lambdas.invoke(FunctionName=outputs["FunctionName"], Payload=b'{"first": 1}')

    assert running.command("down").returncode == 0
    assert running.command("up", "--port", "auto").returncode == 0

    lambdas, tables = running.client("lambda"), running.client("dynamodb")
    stacks = running.client("cloudformation").describe_stacks(StackName="Small")["Stacks"]
    assert stacks[0]["StackStatus"] == "CREATE_COMPLETE"
    item = tables.get_item(TableName=outputs["TableName"], Key={"pk": {"S": "calls"}})["Item"]
    assert item["calls"]["N"] == "1"
    body = running.client("s3").get_object(Bucket=outputs["BucketName"], Key="last.json")["Body"]
    assert json.loads(body.read()) == {"first": 1}
    answer = lambdas.invoke(FunctionName=outputs["FunctionName"], Payload=b"{}")
    assert json.loads(json.loads(answer["Payload"].read())["body"]) == {"calls": 2}
    assert running.command("down").returncode == 0
