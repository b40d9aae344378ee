"""A training whose job is killed ends with its code, gives its claim back, and registers nothing.

SIGKILL is also what a container that needs too much memory gets: its exit code is 137.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Platform

JOB_SECONDS = 120


def awaited(find: Callable[[], Any]) -> Any:
    """Look until something is found: the AWS APIs cannot be awaited."""
    deadline = time.monotonic() + JOB_SECONDS
    while not (found := find()):
        assert time.monotonic() < deadline
    return found


def kill(variable: str, job_name: str) -> bool:
    """Kill the processes of one job; tell whether there were any."""
    mark, killed = f"{variable}={job_name}\0".encode(), False
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)
                killed = True
        except OSError:  # it has ended meanwhile
            continue
    return killed


def state(platform: Platform) -> tuple[int, list[tuple[str, str]]]:
    """How many model versions there are, and what the ledger says failed."""
    client, outputs = platform.client("dynamodb"), platform.outputs("Foundation")
    versions = client.query(
        TableName=outputs["ModelTableName"],
        KeyConditionExpression="pk = :model AND begins_with(sk, :version)",
        ExpressionAttributeValues={
            ":model": {"S": f"MODEL#{outputs['UseCase']}"},
            ":version": {"S": "V#"},
        },
        ConsistentRead=True,
    )["Items"]
    ledger = client.query(
        TableName=outputs["LedgerTableName"],
        KeyConditionExpression="chain = :chain",
        ExpressionAttributeValues={":chain": {"S": outputs["UseCase"]}},
    )["Items"]
    failed = [each for each in ledger if each["event_type"]["S"] == "training_failed"]
    return len(versions), [(each["subject"]["S"], each["reason"]["S"]) for each in failed]


@pytest.fixture
def configured(bare_platform: Platform, tmp_path: Path):
    """Write the configuration with one line changed; afterwards the old one holds again."""
    text = (bare_platform.project / "use_cases" / "flight_delays" / "members.yaml").read_text()

    def change(old: str, new: str) -> str:
        assert old in text, old
        path = tmp_path / "changed.yaml"
        path.write_text(text.replace(old, new))
        return str(path)

    yield change
    original = tmp_path / "original.yaml"
    original.write_text(text)
    assert "unchanged" in bare_platform.command("train", "--config", str(original))


def killed_words(platform: Platform, config: str, find: Callable[[], Any]) -> str:
    """Train with a configuration; kill the job that is found; give what the command said."""
    with ThreadPoolExecutor(1) as pool:
        words = pool.submit(platform.refused, "train", "--config", config)
        awaited(find)
        return words.result()


def test_a_killed_members_job_ends_the_training_and_stops_the_other_members(
    bare_platform: Platform, configured: Callable[[str, str], str]
):
    client, before = bare_platform.client("sagemaker"), state(bare_platform)
    running = {"StatusEquals": "InProgress", "SortBy": "CreationTime", "SortOrder": "Ascending"}

    def kill_first() -> bool:
        jobs = client.list_training_jobs(**running)["TrainingJobSummaries"]
        return bool(jobs) and kill("TRAINING_JOB_NAME", jobs[0]["TrainingJobName"])

    words = killed_words(bare_platform, configured("seed: 20131231", "seed: 7"), kill_first)

    versions, failures = state(bare_platform)
    assert "exit code: 137" in words
    assert versions == before[0]
    assert len(failures) == len(before[1]) + 1
    assert "exit code: 137" in failures[-1][1]
    awaited(lambda: not client.list_training_jobs(**running)["TrainingJobSummaries"])


def test_a_killed_evaluation_leaves_no_version_half_registered(
    bare_platform: Platform, configured: Callable[[str, str], str]
):
    client, before = bare_platform.client("sagemaker"), state(bare_platform)

    def kill_evaluation() -> bool:
        jobs = client.list_processing_jobs(NameContains="evaluate", StatusEquals="InProgress")
        names = [each["ProcessingJobName"] for each in jobs["ProcessingJobSummaries"]]
        return bool(names) and kill("PROCESSING_JOB_NAME", names[0])

    changed = configured("min_gain_chance: 0.0\n", "min_gain_chance: 0.001\n")
    words = killed_words(bare_platform, changed, kill_evaluation)

    versions, failures = state(bare_platform)
    assert "exit code: 137" in words
    assert versions == before[0]
    assert len(failures) == len(before[1]) + 1
    assert "exit code: 137" in failures[-1][1]
