"""The training workflow beside its jobs' own time, and members side by side beside one by one.

Reads a finished execution of the running embedded AWS, the latest or the one given; `fourblocks
demo` leaves one. With `--steps` it also says in which steps the time beyond the jobs goes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bench.figures import report
from cli.executions import (
    SUCCEEDED,
    Execution,
    Step,
    objects_in,
    payloads,
    read_execution,
    steps,
)
from cli.target import LOCAL, Address, Target, open_target

STACK = "stack"


class Job(NamedTuple):
    """One job: its name, what it does, and when it itself ran."""

    name: str
    is_member: bool
    started: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        """How long it ran."""
        return (self.ended - self.started).total_seconds()


class Timing(NamedTuple):
    """What an execution's time consists of, in seconds."""

    wall: float
    longest_path: float
    members_side_by_side: float
    members_one_by_one: float


def longest_path(jobs: Sequence[Job]) -> float:
    """Add up the jobs of the longest chain in which each began when the one before had ended.

    No workflow of these jobs, in the order that they depend on each other, can take less. Members
    depend on no other member: one that waited for a free place is overhead.
    """
    best: dict[str, float] = {}
    ordered = sorted(jobs, key=lambda job: (job.ended, job.started))
    for job in ordered:
        before = [
            best[other.name]
            for other in ordered
            if other.ended <= job.started and not (job.is_member and other.is_member)
        ]
        best[job.name] = job.seconds + max(before, default=0.0)
    return max(best.values(), default=0.0)


def timing(wall: float, jobs: Sequence[Job]) -> Timing:
    """Set a workflow's wall time beside its jobs'."""
    members = [job for job in jobs if job.is_member]
    first = min(job.started for job in members)
    last = max(job.ended for job in members)
    return Timing(
        wall=wall,
        longest_path=longest_path(jobs),
        members_side_by_side=(last - first).total_seconds(),
        members_one_by_one=sum(job.seconds for job in members),
    )


def beyond_jobs(steps: Sequence[Step], jobs: Sequence[Job]) -> dict[str, float]:
    """Tell of each step how long none of its jobs ran; of a Map, its inner steps are its own."""
    return {
        step.name: (step.ended - step.started).total_seconds() - _busy(step, jobs)
        for step in steps
        if step.ended is not None
    }


def _busy(step: Step, jobs: Sequence[Job]) -> float:
    """Add up the time of a step during which some job ran."""
    busy, until = 0.0, step.started
    for job in sorted(jobs, key=lambda job: job.started):
        begin, end = max(job.started, until), min(job.ended, step.ended or step.started)
        busy += max(0.0, (end - begin).total_seconds())
        until = max(until, end)
    return busy


def jobs_of(execution: Execution, client: Callable[[str], Any]) -> list[Job]:
    """Describe every job that the execution's payloads name, and its nested executions."""
    found: dict[str, Job] = {}
    for payload in payloads(execution.events):
        for document in objects_in(payload):
            for key, describe in DESCRIBERS.items():
                name = document.get(key)
                if isinstance(name, str) and name not in found and name != execution.arn:
                    found.update({job.name: job for job in describe(client, name)})
    return list(found.values())


def _training(client: Callable[[str], Any], name: str) -> Iterator[Job]:
    described = client("sagemaker").describe_training_job(TrainingJobName=name)
    is_stack = described.get("HyperParameters", {}).get("task") == STACK
    is_part = "TuningJobArn" in described
    is_member = not is_stack and not is_part
    yield Job(name, is_member, described["TrainingStartTime"], described["TrainingEndTime"])


def _tuning(client: Callable[[str], Any], name: str) -> Iterator[Job]:
    described = client("sagemaker").describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name
    )
    yield Job(name, True, described["CreationTime"], described["HyperParameterTuningEndTime"])


def _processing(client: Callable[[str], Any], name: str) -> Iterator[Job]:
    described = client("sagemaker").describe_processing_job(ProcessingJobName=name)
    yield Job(name, False, described["ProcessingStartTime"], described["ProcessingEndTime"])


def _nested(client: Callable[[str], Any], arn: str) -> Iterator[Job]:
    described = client("stepfunctions").describe_execution(executionArn=arn)
    yield Job(arn, False, described["startDate"], described["stopDate"])


DESCRIBERS: Mapping[str, Callable[[Callable[[str], Any], str], Iterator[Job]]] = {
    "TrainingJobName": _training,
    "HyperParameterTuningJobName": _tuning,
    "ProcessingJobName": _processing,
    "ExecutionArn": _nested,
}


def latest_training(target: Target) -> str:
    """Find the latest execution that trained something."""
    workflow = target.output("TrainingPipeline", "WorkflowArn")
    sfn = target.client("stepfunctions")
    answer = sfn.list_executions(stateMachineArn=workflow, statusFilter=SUCCEEDED)
    newest_first = sorted(answer["executions"], key=lambda one: one["startDate"], reverse=True)
    for one in newest_first:
        execution = read_execution(sfn, one["executionArn"])
        names = (found for payload in payloads(execution.events) for found in objects_in(payload))
        if any("TrainingJobName" in document for document in names):
            return execution.arn
    raise SystemExit(f"No execution of {workflow} has trained anything yet. Run: fourblocks demo")


def main() -> None:
    """Measure an execution and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--execution", help="ARN of a training execution; else the latest")
    parser.add_argument("--steps", action="store_true", help="say where the time beyond jobs goes")
    arguments = parser.parse_args()
    target = open_target(Address(environment=LOCAL, profile=None, region=None))
    arn = arguments.execution or latest_training(target)
    execution = read_execution(target.client("stepfunctions"), arn)
    jobs = jobs_of(execution, target.client)
    found = timing(execution.seconds, jobs)
    source = arn.rpartition(":")[2]
    report(
        "training workflow beyond its jobs",
        found.wall - found.longest_path,
        "s",
        against="wall time of the execution",
        peer=found.wall,
        source=source,
    )
    report(
        "members side by side",
        found.members_side_by_side,
        "s",
        against="one by one",
        peer=found.members_one_by_one,
        source=source,
    )
    for name, seconds in (
        beyond_jobs(steps(execution.events), jobs).items() if arguments.steps else ()
    ):
        report(
            f"beyond jobs in {name}",
            seconds,
            "s",
            against="wall time of the execution",
            peer=found.wall,
            source=source,
        )


if __name__ == "__main__":
    main()
