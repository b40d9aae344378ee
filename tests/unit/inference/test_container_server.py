"""The serving container as SageMaker runs it: a process, a port, signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from pipeline_code.inference.contract import PIPELINE_STEPS
from pipeline_code.inference.predictor import load_predictor
from tests.fixtures import tiny_dataset

PROGRAM = f"""
import sys
import use_cases
use_cases.__path__.append({str(tiny_dataset.USE_CASES)!r})
from pipeline_code.container import main
sys.exit(main(["serve"]))
"""
DEADLINE_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(model: Path, base: Path, port: int, **variables: str) -> subprocess.Popen[str]:
    base.mkdir(exist_ok=True)
    (base / "model").symlink_to(model)
    environment = {
        **os.environ,
        "SAGEMAKER_BASE_DIR": str(base),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
        "MODEL_VERSION": "3",
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until_well(process: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/ping").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)  # a port that nobody listens on yet cannot be awaited otherwise
    pytest.fail(f"the server did not come up: {process.communicate(timeout=5)[0]}")


@pytest.fixture(scope="module")
def server(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    process = start(tiny_model, tmp_path_factory.mktemp("serve"), port)
    url = f"http://127.0.0.1:{port}"
    wait_until_well(process, url)
    yield url
    process.terminate()
    output, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, output


def test_the_answer_over_http_is_that_of_the_model(server: str, tiny_model: Path) -> None:
    instances = tiny_dataset.instances(5, 9)

    answer = httpx.post(f"{server}/invocations", json={"instances": instances})

    assert answer.status_code == 200
    assert answer.json() == {
        "model_version": "3",
        "predictions": load_predictor(tiny_model).predict(instances),
    }


def test_many_clients_at_once_each_get_their_own_answer(server: str, tiny_model: Path) -> None:
    predictor = load_predictor(tiny_model)
    wrong: list[Any] = []

    def client(seed: int) -> None:
        with httpx.Client() as http:
            for instance in tiny_dataset.instances(20, seed):
                found = http.post(f"{server}/invocations", json={"instances": [instance]}).json()
                if found["predictions"] != expected[json.dumps(instance)]:
                    wrong.append(found)

    seeds = range(8)
    expected = {
        json.dumps(instance): predictor.predict([instance])
        for seed in seeds
        for instance in tiny_dataset.instances(20, seed)
    }
    threads = [threading.Thread(target=client, args=(seed,)) for seed in seeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_request_in_flight_is_answered_before_the_server_stops(
    tiny_model: Path, tmp_path: Path
) -> None:
    port = free_port()
    process = start(tiny_model, tmp_path / "base", port)
    wait_until_well(process, f"http://127.0.0.1:{port}")
    body = json.dumps({"instances": tiny_dataset.instances(2, 9)}).encode()
    head = (
        b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n" % len(body)
    )
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS) as connection:
        connection.sendall(head + body[:10])
        time.sleep(0.2)  # the head has to reach the server before the signal does
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        connection.sendall(body[10:])
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200")
    output, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, output


def test_memory_stays_as_it_is_over_many_requests(tiny_model: Path, tmp_path: Path) -> None:
    port = free_port()
    process = start(tiny_model, tmp_path / "base", port, SAGEMAKER_MODEL_SERVER_WORKERS="1")
    url = f"http://127.0.0.1:{port}"
    wait_until_well(process, url)
    bodies = [json.dumps({"instances": [one]}) for one in tiny_dataset.instances(50, 9)]
    bodies += ["{", json.dumps({"instances": [{}] * 300})]
    headers = {"content-type": "application/json"}

    def ask(http: httpx.Client, count: int) -> int:
        for number in range(count):
            body = bodies[number % len(bodies)]
            answer = http.post(f"{url}/invocations", content=body, headers=headers)
            assert answer.status_code in (200, 400)
        return psutil.Process(process.pid).memory_info().rss

    with httpx.Client() as http:
        before = ask(http, 500)
        after = ask(http, int(os.environ.get("SERVING_REQUESTS", "2000")))

    process.terminate()
    assert process.wait(DEADLINE_SECONDS) == 0
    assert after - before < 3 * 1024 * 1024


def test_with_many_processes_all_answer_and_all_end(tiny_model: Path, tmp_path: Path) -> None:
    port = free_port()
    process = start(tiny_model, tmp_path / "base", port, SAGEMAKER_MODEL_SERVER_WORKERS="3")
    wait_until_well(process, f"http://127.0.0.1:{port}")
    children = psutil.Process(process.pid).children()
    assert len(children) == 3
    for _ in range(9):
        assert httpx.get(f"http://127.0.0.1:{port}/ping").status_code == 200

    process.terminate()

    assert process.wait(DEADLINE_SECONDS) == 0
    assert [child for child in children if child.is_running()] == []


@pytest.mark.parametrize("victim", ["child", "parent"])
def test_a_process_that_dies_ends_the_container(
    tiny_model: Path, tmp_path: Path, victim: str
) -> None:
    port = free_port()
    process = start(tiny_model, tmp_path / "base", port, SAGEMAKER_MODEL_SERVER_WORKERS="2")
    wait_until_well(process, f"http://127.0.0.1:{port}")
    children = psutil.Process(process.pid).children()

    (children[0] if victim == "child" else process).kill()

    assert process.wait(DEADLINE_SECONDS) != 0
    gone, alive = psutil.wait_procs(children, DEADLINE_SECONDS)
    assert (len(gone), alive) == (2, [])


def test_a_wrong_number_of_processes_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    process = start(tiny_model, tmp_path / "b", free_port(), SAGEMAKER_MODEL_SERVER_WORKERS="many")

    output, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert "SAGEMAKER_MODEL_SERVER_WORKERS is 'many'" in output
    assert process.returncode == 1


def test_three_containers_in_turn_answer_as_one(
    server: str, tiny_model: Path, tmp_path: Path
) -> None:
    body = json.dumps({"instances": tiny_dataset.instances(3, 9)}).encode()
    asked = httpx.post(
        f"{server}/invocations", content=body, headers={"content-type": "application/json"}
    )
    ports = {step: free_port() for step in PIPELINE_STEPS}
    started = [
        start(
            tiny_model,
            tmp_path / step,
            port,
            SERVING_STEP=step,
            SAGEMAKER_MODEL_SERVER_WORKERS="1",
        )
        for step, port in ports.items()
    ]
    content_type = "application/json"
    for process, port in zip(started, ports.values(), strict=True):
        url = f"http://127.0.0.1:{port}"
        wait_until_well(process, url)
        headers = {"content-type": content_type}
        answer = httpx.post(f"{url}/invocations", content=body, headers=headers)
        body, content_type = answer.content, answer.headers["content-type"]

    for process in started:
        process.terminate()
    assert [process.wait(DEADLINE_SECONDS) for process in started] == [0, 0, 0]
    assert body == asked.content


def test_a_damaged_artefact_never_listens_and_says_why(tiny_model: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(tiny_model, tmp_path / "damaged"))
    (damaged / "golden.jsonl").unlink()

    process = start(damaged, tmp_path / "base", free_port())

    output, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 1
    assert "golden.jsonl does not exist" in output


@pytest.mark.parametrize("arguments", [[], ["dance"], ["serve", "now"]])
def test_the_entry_point_knows_train_and_serve_only(arguments: list[str]) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "pipeline_code.container", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 2
    assert "train|serve" in found.stderr
