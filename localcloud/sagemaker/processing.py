"""Processing jobs: the operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.jobs.runs import Run
from localcloud.registry import Call
from localcloud.sagemaker.container_run import STOP_GRACE_SECONDS
from localcloud.sagemaker.errors import unsupported
from localcloud.sagemaker.job_operations import Jobs, JobType
from localcloud.sagemaker.layout import Network, role_of
from localcloud.sagemaker.processing_run import ProcessingRun
from localcloud.sagemaker.scope import Document, Scope


class ProcessingJobs(Jobs):
    """Creates, describes, lists and stops processing jobs."""

    about = JobType(
        noun="ProcessingJob",
        kind="processing-job",
        words="processing job",
        summaries="ProcessingJobSummaries",
        summary=(
            *("ProcessingJobName", "ProcessingJobArn", "CreationTime", "ProcessingEndTime"),
            *("LastModifiedTime", "ProcessingJobStatus", "FailureReason", "ExitMessage"),
        ),
        missing="Could not find requested job with name: {name}",
        taken=(
            "Job name must be unique within an AWS account and region, and a job with this "
            "name already exists"
        ),
    )

    def create(self, call: Call) -> Document:
        """Start a processing job."""
        request = dict(call.parameters)
        _check(request)
        Network.of(request.get("NetworkConfig", {})).check(self._host)
        role = role_of(self._host, request["RoleArn"])
        description = {key: value for key, value in request.items() if key != "Tags"}
        state = self._add(Scope.of(call), description, request.get("Tags", []))
        run = Run(STOP_GRACE_SECONDS)
        self._begin(state, run, ProcessingRun(self._host, state, run, role, request))
        return {"ProcessingJobArn": state.arn}


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
