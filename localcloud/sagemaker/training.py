"""Training jobs: the operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.registry import Call
from localcloud.sagemaker import marketplace
from localcloud.sagemaker.container_images import check_instances, with_metric_definitions
from localcloud.sagemaker.container_run import STOP_GRACE_SECONDS
from localcloud.sagemaker.errors import invalid, unsupported
from localcloud.sagemaker.job_operations import Jobs, JobType
from localcloud.sagemaker.job_state import JobState, Watcher
from localcloud.sagemaker.layout import Network, role_of
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.spot import InterruptibleRun, check_spot
from localcloud.sagemaker.training_run import TrainingRun

KIND = "training-job"


class TrainingJobs(Jobs):
    """Creates, describes, lists and stops training jobs."""

    about = JobType(
        noun="TrainingJob",
        kind=KIND,
        words="training job",
        summaries="TrainingJobSummaries",
        summary=(
            *("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime"),
            *("LastModifiedTime", "TrainingJobStatus", "SecondaryStatus"),
        ),
        missing="Requested resource not found.",
        taken=(
            "Training job names must be unique within an AWS account and region, and a training "
            "job with this name already exists"
        ),
    )

    def create(self, call: Call) -> Document:
        """Start a training job."""
        request = dict(call.parameters)
        return {"TrainingJobArn": self.start(Scope.of(call), request)}

    def start(
        self, scope: Scope, request: Document, watcher: Watcher | None = None, **more: Any
    ) -> str:
        """Start a training job, watched by whoever asked for it; return its ARN."""
        self.check(request)
        request["AlgorithmSpecification"] = with_metric_definitions(
            request["AlgorithmSpecification"], request.get("HyperParameters", {})
        )
        role = role_of(self._host, request["RoleArn"])
        state = self._add(scope, {**_description(request), **more}, request.get("Tags", []))
        state.watcher = watcher or Watcher()
        run = InterruptibleRun(STOP_GRACE_SECONDS)
        self._begin(state, run, TrainingRun(self._host, state, run, role, request))
        return state.arn

    def check(self, request: Document) -> None:
        """Refuse what is malformed or cannot run here."""
        _check(request)
        Network.of(request).check(self._host)

    def _when_stopping(self, state: JobState) -> None:
        state.enter("Stopping", "Stopping the training job")

    def _when_interrupted(self, state: JobState) -> None:
        state.enter("Failed", "Interrupted")


def _check(request: Mapping[str, Any]) -> None:
    algorithm = request.get("AlgorithmSpecification", {})
    if algorithm.get("AlgorithmName"):
        marketplace.refuse_algorithm(algorithm)
    if not algorithm.get("TrainingImage"):
        raise unsupported("training without AlgorithmSpecification.TrainingImage")
    if "ResourceConfig" not in request or "StoppingCondition" not in request:
        raise invalid("ResourceConfig and StoppingCondition are required with a TrainingImage.")
    check_instances(request["ResourceConfig"])
    check_spot(request)
    for channel in request.get("InputDataConfig", []):
        _check_channel(channel, algorithm)


def _check_channel(channel: Mapping[str, Any], algorithm: Mapping[str, Any]) -> None:
    mode = channel.get("InputMode", algorithm.get("TrainingInputMode"))
    if mode == "Pipe":
        raise unsupported("TrainingInputMode Pipe")
    source = channel["DataSource"].get("S3DataSource")
    if source is None or source["S3DataType"] != "S3Prefix":
        raise unsupported(f"channel {channel['ChannelName']}: any source but an S3Prefix")


def _description(request: Document) -> Document:
    starting = {"Status": "Starting", "StartTime": now(), "StatusMessage": "Starting"}
    kept = {key: value for key, value in request.items() if key != "Tags"}
    return {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **kept,
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [starting],
    }
