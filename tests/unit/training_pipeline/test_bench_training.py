"""The training benchmark reads times out of an execution's history and its jobs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.training import Job, beyond_jobs, jobs_of, longest_path, timing
from cli.executions import Execution, Step

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def job(name: str, start: float, end: float, *, member: bool = False) -> Job:
    return Job(name, member, at(start), at(end))


JOBS = [
    job("a", 1, 11, member=True),
    job("b", 1, 6, member=True),
    job("c", 6.5, 10.5, member=True),
    job("stack", 12, 15),
    job("evaluate", 17, 20),
]


def test_the_longest_path_is_the_chain_that_no_order_of_the_jobs_can_beat() -> None:
    assert longest_path(JOBS) == 10 + 3 + 3
    assert longest_path([]) == 0


def test_a_member_that_waited_for_another_is_no_longer_path() -> None:
    one_by_one = [job("a", 0, 10, member=True), job("b", 10, 20, member=True), job("s", 20, 25)]

    assert longest_path(one_by_one) == 10 + 5


def test_members_side_by_side_stand_beside_their_sum() -> None:
    found = timing(21.0, JOBS)

    assert (found.wall, found.longest_path) == (21.0, 16)
    assert found.members_side_by_side == 10
    assert found.members_one_by_one == 19


def test_each_step_is_told_how_long_no_job_of_it_ran() -> None:
    members = Step("Train members", at(0.5), at(11.5))
    judge = Step("Judge model", at(20), at(20.5))

    found = beyond_jobs([members, judge], JOBS)

    assert found == {"Train members": 1.0, "Judge model": 0.5}


class FakeSageMaker:
    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:  # noqa: N803
        task = "stack" if TrainingJobName == "s" else "member"
        return {
            "HyperParameters": {"task": task},
            "TrainingStartTime": at(1),
            "TrainingEndTime": at(3),
        }

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:  # noqa: N803
        return {"ProcessingStartTime": at(4), "ProcessingEndTime": at(5)}


class FakeStepFunctions:
    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        return {"startDate": at(6), "stopDate": at(9)}


def test_jobs_are_found_in_what_states_gave_each_once() -> None:
    outputs = [
        {"TrainingJobName": "m", "ModelArtifacts": {}},
        {"TrainingJobName": "m"},
        {"nested": [{"TrainingJobName": "s"}]},
        {"ProcessingJobName": "e"},
        {"ExecutionArn": "arn:deploy"},
        {"ExecutionArn": "arn:self"},
    ]
    events = [{"taskSucceededEventDetails": {"output": json.dumps(one)}} for one in outputs]
    execution = Execution("arn:self", "SUCCEEDED", START, at(10), events)
    clients = {"sagemaker": FakeSageMaker(), "stepfunctions": FakeStepFunctions()}

    found = {one.name: one for one in jobs_of(execution, clients.__getitem__)}

    assert set(found) == {"m", "s", "e", "arn:deploy"}
    assert found["m"].is_member
    assert not found["s"].is_member
    assert [found[name].seconds for name in ("m", "e", "arn:deploy")] == pytest.approx([2, 1, 3])
