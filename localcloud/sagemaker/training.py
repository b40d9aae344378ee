"""Training jobs: the operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.jobs.host import Host
from localcloud.jobs.runs import Run, Runs
from localcloud.registry import Call
from localcloud.sagemaker.container_images import check_instances, with_metric_definitions
from localcloud.sagemaker.errors import in_use, invalid, unsupported
from localcloud.sagemaker.job_state import JobState
from localcloud.sagemaker.layout import Network, role_of
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags
from localcloud.sagemaker.training_run import STOP_GRACE_SECONDS, TrainingRun

KIND = "training-job"
NOT_FOUND = "Requested resource not found."
DEFAULT_LIMIT_SECONDS = 86400
SUMMARY = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
    "SecondaryStatus",
)
RUNNING = ("InProgress", "Stopping")


class TrainingJobs:
    """Creates, describes, lists and stops training jobs."""

    def __init__(self, host: Host, store: Store, tags: Tags) -> None:
        self._host = host
        self._store = store
        self._tags = tags
        self._runs = Runs()

    def create(self, call: Call) -> Document:
        """Start a training job."""
        request = dict(call.parameters)
        _check(request)
        request["AlgorithmSpecification"] = with_metric_definitions(
            request["AlgorithmSpecification"], request.get("HyperParameters", {})
        )
        Network.of(request).check(self._host)
        scope, name = Scope.of(call), request["TrainingJobName"]
        arn = scope.arn(KIND, name)
        role = role_of(self._host, request["RoleArn"])
        if not self._store.add(scope, KIND, name, _description(request, arn)):
            raise in_use(
                "Training job names must be unique within an AWS account and region, and a "
                f"training job with this name already exists ({arn})"
            )
        self._tags.set(scope, arn, request.get("Tags", []))
        run = Run(STOP_GRACE_SECONDS)
        state = JobState(self._store, scope, KIND, name, arn)
        self._runs.begin(arn, run, TrainingRun(self._host, state, run, role, request))
        return {"TrainingJobArn": arn}

    def describe(self, call: Call) -> Document:
        """Describe a training job."""
        name = call.parameters["TrainingJobName"]
        return self._store.get(Scope.of(call), KIND, name, NOT_FOUND)

    def list(self, call: Call) -> Document:
        """List training jobs."""
        jobs = self._store.all(Scope.of(call), KIND)
        found, token = page(
            jobs,
            call.parameters,
            name="TrainingJobName",
            status="TrainingJobStatus",
            fields=SUMMARY,
        )
        return {"TrainingJobSummaries": found, **({"NextToken": token} if token else {})}

    def stop(self, call: Call) -> Document:
        """Stop a training job."""
        scope, name = Scope.of(call), call.parameters["TrainingJobName"]
        job = self._store.get(scope, KIND, name, NOT_FOUND)
        status = job["TrainingJobStatus"]
        if status not in RUNNING:
            raise invalid(
                f"The request was rejected because the training job is in status {status}."
            )
        state = JobState(self._store, scope, KIND, name, job["TrainingJobArn"])
        state.set(TrainingJobStatus="Stopping")
        state.enter("Stopping", "Stopping the training job")
        self._runs.stop(job["TrainingJobArn"])
        return {}

    def recover(self) -> None:
        """Say of jobs that a stop of the embedded AWS interrupted that they failed."""
        for scope, name in list(self._store.everywhere(KIND)):
            job = self._store.find(scope, KIND, name) or {}
            if job.get("TrainingJobStatus") in RUNNING:
                state = JobState(self._store, scope, KIND, name, job["TrainingJobArn"])
                state.enter("Failed", "Interrupted")
                state.end(
                    TrainingJobStatus="Failed",
                    TrainingEndTime=now(),
                    FailureReason="InternalServerError: the embedded AWS was stopped meanwhile.",
                )


def _check(request: Mapping[str, Any]) -> None:
    algorithm = request.get("AlgorithmSpecification", {})
    if not algorithm.get("TrainingImage"):
        raise unsupported("training without AlgorithmSpecification.TrainingImage")
    if "ResourceConfig" not in request or "StoppingCondition" not in request:
        raise invalid("ResourceConfig and StoppingCondition are required with a TrainingImage.")
    check_instances(request["ResourceConfig"])
    for channel in request.get("InputDataConfig", []):
        _check_channel(channel, algorithm)


def _check_channel(channel: Mapping[str, Any], algorithm: Mapping[str, Any]) -> None:
    mode = channel.get("InputMode", algorithm.get("TrainingInputMode"))
    if mode == "Pipe":
        raise unsupported("TrainingInputMode Pipe")
    source = channel["DataSource"].get("S3DataSource")
    if source is None or source["S3DataType"] != "S3Prefix":
        raise unsupported(f"channel {channel['ChannelName']}: any source but an S3Prefix")


def _description(request: Document, arn: str) -> Document:
    moment = now()
    starting = {"Status": "Starting", "StartTime": moment, "StatusMessage": "Starting"}
    kept = {key: value for key, value in request.items() if key != "Tags"}
    return {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **kept,
        "TrainingJobArn": arn,
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [starting],
        "CreationTime": moment,
        "LastModifiedTime": moment,
    }
