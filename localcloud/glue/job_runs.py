"""Job runs: the operations."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from localcloud.glue.definitions import all_buckets, find_job
from localcloud.glue.execution import Execution
from localcloud.glue.run_store import ACTIVE, Document, RunStore
from localcloud.jobs.host import Host
from localcloud.jobs.runs import Run, Runs
from localcloud.registry import Call, ServiceError
from localcloud.spark_jobs.execution import STOP_GRACE_SECONDS, machine_size

PRINCIPAL = "glue.amazonaws.com"
SPARK = "glueetl"
KINDS = (SPARK, "pythonshell")
DEFAULT_TIMEOUT_MINUTES = 2880
DEFAULT_PAGE = 200
TIMES = ("StartedOn", "LastModifiedOn", "CompletedOn")


class JobRuns:
    """Starts, describes, lists and stops job runs."""

    def __init__(self, host: Host, store: RunStore) -> None:
        self._host = host
        self._store = store
        self._runs = Runs()

    def start(self, call: Call) -> Document:
        """Start a run of a job."""
        job = _job(call)
        role = self._host.role_environment(_role_arn(call, job), PRINCIPAL, "GlueJobRunnerSession")
        run_id = f"jr_{secrets.token_hex(32)}"
        given = {**job.get("DefaultArguments", {}), **call.parameters.get("Arguments", {})}
        arguments = {**given, **job.get("NonOverridableArguments", {})}
        timeout = call.parameters.get("Timeout") or job.get("Timeout") or DEFAULT_TIMEOUT_MINUTES
        limit = int(job.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1))
        description = _description(call, job, run_id, timeout, arguments)
        if not self._store.start(description, limit):
            raise ServiceError(
                "ConcurrentRunsExceededException",
                f"Concurrent runs exceeded for {job['Name']}; at most {limit} at a time.",
            )
        specification = {
            "job_name": job["Name"],
            "run_id": run_id,
            "spark": job["Command"]["Name"] == SPARK,
            "script": job["Command"]["ScriptLocation"],
            "arguments": arguments,
            "buckets": all_buckets(),
            "timeout_minutes": timeout,
            **machine_size(),
        }
        run = Run(STOP_GRACE_SECONDS)
        execution = Execution(self._host, self._store, run, role, specification)
        self._runs.begin(run_id, run, execution)
        return {"JobRunId": run_id}

    def describe(self, call: Call) -> Document:
        """Describe a run."""
        name, run_id = call.parameters["JobName"], call.parameters["RunId"]
        run = self._store.find(name, run_id)
        if run is None:
            raise ServiceError("EntityNotFoundException", f"Job Run not found: {run_id}")
        return {"JobRun": _presented(run)}

    def list(self, call: Call) -> Document:
        """List the runs of a job, the newest first."""
        runs = self._store.of_job(_job(call)["Name"])
        token = call.parameters.get("NextToken")
        start = int(base64.b64decode(token)) if token else 0
        end = start + int(call.parameters.get("MaxResults", DEFAULT_PAGE))
        more = base64.b64encode(str(end).encode()).decode() if end < len(runs) else None
        found = [_presented(run) for run in runs[start:end]]
        return {"JobRuns": found, **({"NextToken": more} if more else {})}

    def stop(self, call: Call) -> Document:
        """Stop runs of a job."""
        name = call.parameters["JobName"]
        stopped: list[Document] = []
        errors: list[Document] = []
        for run_id in call.parameters["JobRunIds"]:
            problem = self._stop(name, run_id)
            known = {"JobName": name, "JobRunId": run_id}
            if problem:
                errors.append({**known, "ErrorDetail": problem})
            else:
                stopped.append(known)
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def recover(self) -> None:
        """Say of runs that a stop of the embedded AWS interrupted that they failed."""
        for run in self._store.active():
            self._store.change(
                run["Id"],
                JobRunState="FAILED",
                ErrorMessage="The embedded AWS was stopped meanwhile.",
                CompletedOn=time.time(),
            )

    def _stop(self, name: str, run_id: str) -> Document | None:
        run = self._store.find(name, run_id)
        if run is None:
            return _problem("EntityNotFoundException", f"Job Run not found: {run_id}")
        if run["JobRunState"] not in ACTIVE:
            message = f"Job run {run_id} is in state {run['JobRunState']}"
            return _problem("JobRunNotInTerminalStateException", message)
        self._store.change(run_id, JobRunState="STOPPING")
        self._runs.stop(run_id)
        return None


def _job(call: Call) -> Document:
    name = call.parameters["JobName"]
    job = find_job(name)
    if job is None:
        raise ServiceError(
            "EntityNotFoundException",
            f"Failed to start job run due to missing metadata: Job {name} not found",
        )
    kind = job.get("Command", {}).get("Name")
    if kind not in KINDS:
        message = f"The embedded AWS does not run jobs of command {kind}; it runs {KINDS}"
        raise ServiceError("InvalidInputException", message)
    return job


def _role_arn(call: Call, job: Mapping[str, Any]) -> str:
    role: str = job["Role"]
    return role if role.startswith("arn:") else f"arn:aws:iam::{call.account}:role/{role}"


def _description(
    call: Call, job: Document, run_id: str, timeout: int, arguments: Mapping[str, str]
) -> Document:
    moment = time.time()
    sized = {
        name: call.parameters.get(name, job.get(name))
        for name in ("WorkerType", "NumberOfWorkers", "MaxCapacity", "SecurityConfiguration")
    }
    return {
        **{name: value for name, value in sized.items() if value},
        "Id": run_id,
        "Attempt": 0,
        "JobName": job["Name"],
        "StartedOn": moment,
        "LastModifiedOn": moment,
        "JobRunState": "STARTING",
        "Arguments": dict(arguments),
        "PredecessorRuns": [],
        "ExecutionTime": 0,
        "Timeout": timeout,
        "GlueVersion": job.get("GlueVersion"),
        "LogGroupName": "/aws-glue/jobs",
    }


def _presented(run: Document) -> Document:
    return {
        name: datetime.fromtimestamp(value, UTC) if name in TIMES and value else value
        for name, value in run.items()
    }


def _problem(code: str, message: str) -> Document:
    return {"ErrorCode": code, "ErrorMessage": message}
