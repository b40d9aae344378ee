"""Processing jobs: the operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.jobs.host import Host
from localcloud.jobs.runs import Run, Runs
from localcloud.registry import Call
from localcloud.sagemaker.errors import in_use, invalid, unsupported
from localcloud.sagemaker.job_state import JobState
from localcloud.sagemaker.layout import Network, role_of
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.processing_run import STOP_GRACE_SECONDS, ProcessingRun
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags

KIND = "processing-job"
RUNNING = ("InProgress", "Stopping")
SUMMARY = (
    "ProcessingJobName",
    "ProcessingJobArn",
    "CreationTime",
    "ProcessingEndTime",
    "LastModifiedTime",
    "ProcessingJobStatus",
    "FailureReason",
    "ExitMessage",
)


class ProcessingJobs:
    """Creates, describes, lists and stops processing jobs."""

    def __init__(self, host: Host, store: Store, tags: Tags) -> None:
        self._host = host
        self._store = store
        self._tags = tags
        self._runs = Runs()

    def create(self, call: Call) -> Document:
        """Start a processing job."""
        request = dict(call.parameters)
        _check(request)
        Network.of(request.get("NetworkConfig", {})).check(self._host)
        scope, name = Scope.of(call), request["ProcessingJobName"]
        arn = scope.arn(KIND, name)
        role = role_of(self._host, request["RoleArn"])
        moment = now()
        description = {
            **{key: value for key, value in request.items() if key != "Tags"},
            "ProcessingJobArn": arn,
            "ProcessingJobStatus": "InProgress",
            "CreationTime": moment,
            "LastModifiedTime": moment,
        }
        if not self._store.add(scope, KIND, name, description):
            raise in_use(
                "Job name must be unique within an AWS account and region, and a job with this "
                f"name already exists ({arn})"
            )
        self._tags.set(scope, arn, request.get("Tags", []))
        run = Run(STOP_GRACE_SECONDS)
        state = JobState(self._store, scope, KIND, name, arn)
        self._runs.begin(arn, run, ProcessingRun(self._host, state, run, role, request))
        return {"ProcessingJobArn": arn}

    def describe(self, call: Call) -> Document:
        """Describe a processing job."""
        return self._get(Scope.of(call), call.parameters["ProcessingJobName"])

    def list(self, call: Call) -> Document:
        """List processing jobs."""
        jobs = self._store.all(Scope.of(call), KIND)
        found, token = page(
            jobs,
            call.parameters,
            name="ProcessingJobName",
            status="ProcessingJobStatus",
            fields=SUMMARY,
        )
        return {"ProcessingJobSummaries": found, **({"NextToken": token} if token else {})}

    def stop(self, call: Call) -> Document:
        """Stop a processing job."""
        scope, name = Scope.of(call), call.parameters["ProcessingJobName"]
        job = self._get(scope, name)
        if job["ProcessingJobStatus"] not in RUNNING:
            raise invalid(
                "The request was rejected because the processing job is in status "
                f"{job['ProcessingJobStatus']}."
            )
        state = JobState(self._store, scope, KIND, name, job["ProcessingJobArn"])
        state.set(ProcessingJobStatus="Stopping")
        self._runs.stop(job["ProcessingJobArn"])
        return {}

    def recover(self) -> None:
        """Say of jobs that a stop of the embedded AWS interrupted that they failed."""
        for scope, name in list(self._store.everywhere(KIND)):
            job = self._store.find(scope, KIND, name) or {}
            if job.get("ProcessingJobStatus") in RUNNING:
                JobState(self._store, scope, KIND, name, job["ProcessingJobArn"]).end(
                    ProcessingJobStatus="Failed",
                    ProcessingEndTime=now(),
                    FailureReason="InternalServerError: the embedded AWS was stopped meanwhile.",
                )

    def _get(self, scope: Scope, name: str) -> Document:
        missing = f"Could not find requested job with name: {name}"
        return self._store.get(scope, KIND, name, missing)


def _check(request: Mapping[str, Any]) -> None:
    if request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] != 1:
        raise unsupported("processing on more than one instance")
    for given in request.get("ProcessingInputs", []):
        _check_input(given)
    for wanted in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if wanted.get("S3Output", {}).get("S3UploadMode") != "EndOfJob":
            raise unsupported(f"output {wanted['OutputName']}: any mode but EndOfJob")


def _check_input(given: Mapping[str, Any]) -> None:
    if "S3Input" not in given or given["S3Input"]["S3DataType"] != "S3Prefix":
        raise unsupported(f"input {given['InputName']}: any source but an S3Prefix")
    if given["S3Input"].get("S3InputMode", "File") == "Pipe":
        raise unsupported("S3InputMode Pipe")
