"""The integrations that become API calls: one call, or a job that is started and waited for."""

import json
from collections.abc import Mapping
from typing import Any

from localcloud.jobs import completions
from localcloud.stepfunctions import siblings
from localcloud.stepfunctions.jobs import JOBS, JobKind
from localcloud.stepfunctions.sdk_call import Client, TaskError, client_for, pascal
from localcloud.stepfunctions.task import Task

_CHECK_SECONDS = 0.5
_OPTIMISED = frozenset({"sagemaker", "glue", "codebuild", "emr-serverless"})
Parameters = Mapping[str, Any]


def call(task: Task, name: str, parameters: Parameters) -> dict[str, Any]:
    """Do what an integration does, as the role of its state machine."""
    integration, _, pattern = name.partition(".")
    if integration.startswith("aws-sdk:") and not pattern:
        _, service, operation = integration.split(":")
        return client_for(task, service, optimised=False).call(pascal(operation), parameters)
    service, _, operation = integration.partition(":")
    if name in JOBS:
        client = client_for(task, service, optimised=True)
        return _run_job(task, client, JOBS[name], parameters)
    if not pattern and service in _OPTIMISED:
        return client_for(task, service, optimised=True).call(pascal(operation), parameters)
    known = ", ".join(JOBS)
    message = (
        f"The embedded AWS does not support the integration {name}; of jobs it supports {known}"
    )
    raise TaskError("States.Runtime", message)


def _run_job(task: Task, client: Client, kind: JobKind, parameters: Parameters) -> dict[str, Any]:
    started = client.call(kind.start, kind.request(parameters))
    identity = kind.identity(parameters, started)
    job_id = kind.job_id(parameters, started)
    while True:
        completions.wait(job_id, _CHECK_SECONDS)
        if ended := _early_end(task):
            client.call(kind.stop, kind.stopping(identity))
            raise TaskError(ended, f"{job_id} was stopped with its task")
        job = kind.description(client.call(kind.describe, identity))
        if job[kind.status] in kind.succeeded:
            return kind.result(job)
        if job[kind.status] in kind.ended:
            raise TaskError("States.TaskFailed", json.dumps(kind.result(job)))


def _early_end(task: Task) -> str:
    """Return the error of a task that is to end before its job has; empty if it goes on."""
    if task.is_stopped() or siblings.are_stopped():
        return "States.Runtime"  # neither retried nor caught: the execution, or the item, is over
    return "States.Timeout" if task.is_overdue() else ""
