"""Safe deployment on the deployed platform: moved under load, fenced, repaired, rolled back."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Platform
from tests.e2e.localcloud.conftest import eventually

REQUESTS = int(os.environ.get("DEPLOYMENT_REQUESTS", "60"))
"""Requests through the API, at least, while a healthy version is deployed."""
STEPS = os.environ.get("DEPLOYMENT_STEPS", "Create endpoint config,Wait for endpoint").split(",")
"""States in which the controller dies."""
TWIN, OTHER = 101, 102
"""Versions with the first one's model: what differs is who they say that they are."""
REPAIRED_SECONDS = 30


def key(platform: Platform, sort_key: str) -> dict[str, Any]:
    use_case = platform.outputs("Foundation")["UseCase"]
    return {"pk": {"S": f"MODEL#{use_case}"}, "sk": {"S": sort_key}}


def item(platform: Platform, sort_key: str) -> dict[str, Any]:
    table = platform.outputs("Foundation")["ModelTableName"]
    return platform.client("dynamodb").get_item(TableName=table, Key=key(platform, sort_key))[
        "Item"
    ]


def serving(platform: Platform) -> int:
    return int(item(platform, "SERVING")["version"]["N"])


def state(platform: Platform, version: int) -> str:
    return item(platform, f"V#{version:08d}")["state"]["S"]


def start(platform: Platform, **wish: Any) -> str:
    machine = platform.outputs("Inference")["DeploymentWorkflowArn"]
    started = platform.client("stepfunctions").start_execution(
        stateMachineArn=machine, input=json.dumps({"requested_by": "e2e", **wish})
    )
    return started["executionArn"]


def ended(platform: Platform, execution: str) -> dict[str, Any]:
    client = platform.client("stepfunctions")
    return eventually(
        lambda: client.describe_execution(executionArn=execution),
        lambda told: told["status"] != "RUNNING",
        180,
    )


def hosted(platform: Platform) -> tuple[list[str], list[str], list[str]]:
    """Name the endpoints, endpoint configs and models of versions that there are."""
    client, only = platform.client("sagemaker"), {"NameContains": "fourblocks-local-"}
    configs = client.list_endpoint_configs(**only)["EndpointConfigs"]
    return (
        [each["EndpointName"] for each in client.list_endpoints(**only)["Endpoints"]],
        [each["EndpointConfigName"] for each in configs],
        [each["ModelName"] for each in client.list_models(**only)["Models"]],
    )


def in_order(platform: Platform) -> bool:
    """Tell whether one version serves, the recorded one, and nothing else is left."""
    endpoints, configs, models = hosted(platform)
    name = platform.outputs("Inference")["EndpointName"]
    told = platform.client("sagemaker").describe_endpoint(EndpointName=name)
    recorded = item(platform, "SERVING")["endpoint_config_name"]["S"]
    serves = (told["EndpointStatus"], told["EndpointConfigName"]) == ("InService", recorded)
    return serves and endpoints == [name] and configs == [recorded] and len(models) == 1


@pytest.fixture(scope="module")
def instance(bare_platform: Platform) -> dict[str, Any]:
    outputs = bare_platform.outputs("Foundation")
    use_case = {"pk": {"S": f"DATASET#{outputs['UseCase']}"}, "sk": {"S": "LATEST"}}
    table = bare_platform.client("dynamodb")
    latest = table.get_item(TableName=outputs["MetadataTableName"], Key=use_case)["Item"]
    body = bare_platform.client("s3").get_object(
        Bucket=outputs["ModelInputBucketName"],
        Key=f"datasets/{latest['dataset_id']['S']}/sample_requests.jsonl",
    )["Body"]
    return json.loads(body.read().splitlines()[0])["instance"]


@pytest.fixture(scope="module", autouse=True)
def twins(bare_platform: Platform) -> Iterator[None]:
    """Register the first version's sealed model under two more numbers; serve the first after."""
    client = bare_platform.client("dynamodb")
    table = bare_platform.outputs("Foundation")["ModelTableName"]
    first = item(bare_platform, "V#00000001")
    for version in (TWIN, OTHER):
        own = {**key(bare_platform, f"V#{version:08d}"), "version": {"N": str(version)}}
        client.put_item(TableName=table, Item={**first, **own, "state": {"S": "approved"}})
    yield
    if serving(bare_platform) != 1:
        wish = {"action": "rollback", "to": 1, "reason": "the tests are over"}
        assert ended(bare_platform, start(bare_platform, **wish))["status"] == "SUCCEEDED"
    for version in (TWIN, OTHER):
        client.delete_item(TableName=table, Key=key(bare_platform, f"V#{version:08d}"))


class Load:
    """Asks the API from two threads until it is left."""

    def __init__(self, platform: Platform, instance: dict[str, Any]) -> None:
        self.answers: Counter[Any] = Counter()
        self.retry_after: set[str | None] = set()
        self._platform, self._instance = platform, instance
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(2)

    def __enter__(self) -> Load:
        self._running = [self._pool.submit(self._ask) for _ in range(2)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for each in self._running:
            each.result()

    def _ask(self) -> None:
        while not self._stopping.is_set():
            answer = self._platform.predict(self._instance)
            if answer.status_code == 200:
                self.answers[answer.json()["model_version"]] += 1
            else:
                self.answers[answer.status_code] += 1
                self.retry_after.add(answer.headers.get("Retry-After"))


def test_a_healthy_version_is_deployed_under_load_without_a_failed_request(
    bare_platform: Platform, instance: dict[str, Any]
):
    before = serving(bare_platform)
    with Load(bare_platform, instance) as load:
        words = bare_platform.command("deploy-model", str(TWIN), "--reason", "e2e")
        eventually(load.answers.total, lambda count: count >= REQUESTS, 600)
    assert f"version {TWIN} serves" in words
    assert load.answers.keys() == {str(before), str(TWIN)}
    assert in_order(bare_platform)
    assert state(bare_platform, before) == "retired"
    counted = bare_platform.client("dynamodb").scan(
        TableName=_evidence_table(bare_platform), ConsistentRead=True
    )["Items"]
    assert {each["version"]["S"] for each in counted} >= {str(before), str(TWIN)}


def _evidence_table(platform: Platform) -> str:
    names = platform.client("dynamodb").list_tables()["TableNames"]
    (name,) = (name for name in names if "ServingEvidence" in name)
    return name


def test_one_of_ten_concurrent_deployments_wins_and_nine_are_told(bare_platform: Platform):
    with ThreadPoolExecutor(10) as pool:
        wishes = [
            pool.submit(start, bare_platform, version=OTHER, reason="race") for _ in range(10)
        ]
        outcomes = [ended(bare_platform, wish.result()) for wish in wishes]
    assert Counter(told["status"] for told in outcomes) == {"SUCCEEDED": 1, "FAILED": 9}
    lost = [told for told in outcomes if told["status"] == "FAILED"]
    assert {told["error"] for told in lost} == {"DeploymentConflictError"}
    assert all(f"Version {OTHER} is being deployed already" in told["cause"] for told in lost)
    assert serving(bare_platform) == OTHER
    eventually(lambda: in_order(bare_platform), bool, REPAIRED_SECONDS)


@pytest.mark.parametrize("step", STEPS)
def test_a_controller_that_dies_leaves_one_version_and_nothing_else(
    bare_platform: Platform, step: str
):
    before = serving(bare_platform)
    client = bare_platform.client("stepfunctions")
    execution = start(bare_platform, version=TWIN, reason="to be stopped", bake_seconds=1)

    def reached() -> bool:
        pages = client.get_paginator("get_execution_history").paginate(executionArn=execution)
        events = [event for page in pages for event in page["events"]]
        entered = [e["stateEnteredEventDetails"]["name"] for e in events if _entered(e)]
        return step in entered

    eventually(reached, bool, 90)
    client.stop_execution(executionArn=execution, error="Killed", cause="on purpose")
    died = time.monotonic()

    eventually(lambda: _let_go(bare_platform) and in_order(bare_platform), bool, 90)
    assert time.monotonic() - died < REPAIRED_SECONDS
    assert serving(bare_platform) in {before, TWIN}


def _entered(event: dict[str, Any]) -> bool:
    return "stateEnteredEventDetails" in event


def _let_go(platform: Platform) -> bool:
    use_case = platform.outputs("Foundation")["UseCase"]
    table = platform.outputs("Foundation")["ModelTableName"]
    lease = {"pk": {"S": f"DEPLOYMENT#{use_case}"}, "sk": {"S": "LEASE"}}
    told = platform.client("dynamodb").get_item(TableName=table, Key=lease)["Item"]
    return told["state"]["S"] == "released"


def test_a_killed_endpoint_is_back_within_ten_seconds_and_clients_are_told_to_try_again(
    bare_platform: Platform, instance: dict[str, Any]
):
    (server,) = _servers(bare_platform)
    with Load(bare_platform, instance) as load:
        eventually(load.answers.total, lambda count: count > 2)
        os.kill(server, signal.SIGKILL)
        eventually(lambda: load.answers[503], bool, 10)
        answered = sum(count for kind, count in load.answers.items() if kind != 503)
        died = time.monotonic()
        eventually(
            lambda: sum(n for kind, n in load.answers.items() if kind != 503) > answered + 2,
            bool,
            20,
        )
        assert time.monotonic() - died < 10
    assert 503 in load.answers
    assert None not in load.retry_after
    assert {kind for kind in load.answers if isinstance(kind, int)} == {503}


def _servers(platform: Platform) -> list[int]:
    """Find the model servers among the processes of the embedded AWS that serves this journey."""
    folder = platform.state / "jobs" / "pids"
    found = [int(file.name) for file in folder.iterdir()]
    return [
        pid for pid in found if b"serve" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    ]


def test_the_way_back_answers_bit_for_bit_and_blocks_what_was_bad(
    bare_platform: Platform, instance: dict[str, Any]
):
    bad = serving(bare_platform)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    words = bare_platform.command("rollback", "--to", "1", "--reason", "on a whim")

    assert "version 1 serves" in words
    assert f"version {bad} is blocked: on a whim" in words
    assert state(bare_platform, bad) == "blocked"
    assert in_order(bare_platform)
    # The workflow has compared every golden answer, number for number; the API gives them too.
    assert bare_platform.predict(instance).json()["model_version"] == "1"
    assert f"version {bad} served" in bare_platform.command("deployments", "--at", moment)
    listed = bare_platform.command("deployments")
    assert "model rolled back" in listed
    assert "on a whim" in listed
    assert "blocked" in bare_platform.refused("deploy-model", str(bad))
