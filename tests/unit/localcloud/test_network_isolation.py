"""`EnableNetworkIsolation` is honoured or refused, never ignored."""

import subprocess
import sys

import pytest

from localcloud.jobs.host import Host
from localcloud.jobs.network import can_isolate, isolated
from localcloud.registry import ServiceError
from localcloud.sagemaker.layout import Network

ROLE = {"AWS_ACCESS_KEY_ID": "ASIA", "AWS_SESSION_TOKEN": "t", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def host(tmp_path):
    def make(*, can_isolate):
        return Host(tmp_path, lambda *_: {}, lambda _: None, can_isolate=lambda: can_isolate)

    return make


def test_a_machine_that_cannot_isolate_refuses_with_the_remedy(host):
    asked = Network.of({"EnableNetworkIsolation": True})

    asked.check(host(can_isolate=True))
    with pytest.raises(ServiceError, match=r"EnableNetworkIsolation true on this machine.*unshare"):
        asked.check(host(can_isolate=False))


def test_without_isolation_every_machine_will_do(host):
    asked = Network.of({})

    asked.check(host(can_isolate=False))
    assert asked.command(["run"]) == ["run"]
    assert asked.credentials(ROLE) == ROLE


def test_an_isolated_container_gets_no_credentials():
    assert Network(isolated=True).credentials(ROLE) == {"AWS_DEFAULT_REGION": "us-east-1"}


def test_a_probe_and_a_run_agree():
    program = (
        "import socket; server = socket.create_server(('127.0.0.1', 0)); "
        "socket.create_connection(server.getsockname()); "
        "print(len(socket.if_nameindex()))"
    )
    done = subprocess.run(
        isolated([sys.executable, "-c", program]), capture_output=True, text=True, check=False
    )

    assert (done.returncode == 0) == can_isolate()
    assert done.stdout == "1\n" or "network isolation:" in done.stderr
