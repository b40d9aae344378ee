"""The jobs that a `.sync` task starts and waits for: how each is described and stopped."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import ServiceModel

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class JobKind:
    """A kind of job, in terms of its service's operations."""

    service: str
    start: str
    describe: str
    stop: str
    status: str  #: the member of the description that holds the state
    succeeded: frozenset[str]
    ended: frozenset[str]  #: failed or stopped

    def request(self, parameters: Parameters) -> dict[str, Any]:
        """Return the parameters of the start operation."""
        return dict(parameters)

    def job_id(self, request: Parameters, started: Parameters) -> str:  # noqa: ARG002
        """Return the id under which the job's end is announced: its ARN."""
        return str(next(value for key, value in started.items() if key.endswith("Arn")))

    def identity(self, request: Parameters, started: Parameters) -> dict[str, Any]:  # noqa: ARG002
        """Return the parameters that describe and stop the job."""
        key = self.start.removeprefix("Create") + "Name"
        return {key: request[key]}

    def stopping(self, identity: Parameters) -> dict[str, Any]:
        """Return the parameters of the stop operation."""
        return dict(identity)

    def description(self, answer: Parameters) -> dict[str, Any]:
        """Return the job out of the answer of the describe operation."""
        return dict(answer)

    def result(self, job: Parameters) -> dict[str, Any]:
        """Return what the task answers about a job that has ended."""
        return dict(job)

    def answer(self, api: ServiceModel) -> Any:
        """Return the shape of what the task answers."""
        return api.operation_model(self.describe).output_shape


@dataclass(frozen=True)
class GlueJobRun(JobKind):
    """A run of a Glue job, which has an id instead of a name."""

    def job_id(self, request: Parameters, started: Parameters) -> str:  # noqa: ARG002
        """Return the run's id."""
        return str(started["JobRunId"])

    def identity(self, request: Parameters, started: Parameters) -> dict[str, Any]:
        """Return the job's name and the run's id."""
        return {"JobName": request["JobName"], "RunId": started["JobRunId"]}

    def stopping(self, identity: Parameters) -> dict[str, Any]:
        """Return the parameters of BatchStopJobRun."""
        return {"JobName": identity["JobName"], "JobRunIds": [identity["RunId"]]}

    def description(self, answer: Parameters) -> dict[str, Any]:
        """Return the run."""
        return dict(answer["JobRun"])

    def answer(self, api: ServiceModel) -> Any:
        """Return the shape of a run."""
        return super().answer(api).members["JobRun"]


@dataclass(frozen=True)
class EmrServerlessJobRun(JobKind):
    """A job run of an EMR Serverless application."""

    def identity(self, request: Parameters, started: Parameters) -> dict[str, Any]:  # noqa: ARG002
        """Return the application's id and the run's."""
        return {"ApplicationId": started["ApplicationId"], "JobRunId": started["JobRunId"]}

    def description(self, answer: Parameters) -> dict[str, Any]:
        """Return the run."""
        return dict(answer["JobRun"])

    def answer(self, api: ServiceModel) -> Any:
        """Return the shape of a run."""
        return super().answer(api).members["jobRun"]


@dataclass(frozen=True)
class Build(JobKind):
    """A build of a CodeBuild project."""

    def job_id(self, request: Parameters, started: Parameters) -> str:  # noqa: ARG002
        """Return the build's ARN."""
        return str(started["Build"]["Arn"])

    def identity(self, request: Parameters, started: Parameters) -> dict[str, Any]:  # noqa: ARG002
        """Return the build's id in the list that is asked for."""
        return {"Ids": [started["Build"]["Id"]]}

    def stopping(self, identity: Parameters) -> dict[str, Any]:
        """Return the build's id."""
        return {"Id": identity["Ids"][0]}

    def description(self, answer: Parameters) -> dict[str, Any]:
        """Return the build."""
        return dict(answer["Builds"][0])

    def result(self, job: Parameters) -> dict[str, Any]:
        """Return the build under its name."""
        return {"Build": dict(job)}

    def answer(self, api: ServiceModel) -> Any:
        """Return the shape that starting a build answers with too."""
        return api.operation_model(self.start).output_shape


@dataclass(frozen=True)
class Execution(JobKind):
    """An execution of another state machine."""

    plain_output: bool  #: `.sync` gives input and output as text, `.sync:2` as what the text says

    def request(self, parameters: Parameters) -> dict[str, Any]:
        """Return the parameters with the input as text."""
        given = parameters.get("Input", {})
        return {**parameters, "Input": given if isinstance(given, str) else json.dumps(given)}

    def identity(self, request: Parameters, started: Parameters) -> dict[str, Any]:  # noqa: ARG002
        """Return the execution's ARN."""
        return {"ExecutionArn": started["ExecutionArn"]}

    def description(self, answer: Parameters) -> dict[str, Any]:
        """Return the execution."""
        if self.plain_output:
            return dict(answer)
        texts = {key: answer[key] for key in ("Input", "Output") if answer.get(key)}
        return {**answer, **{key: json.loads(text) for key, text in texts.items()}}


def _execution(*, plain_output: bool) -> Execution:
    return Execution(
        service="states",
        start="StartExecution",
        describe="DescribeExecution",
        stop="StopExecution",
        status="Status",
        succeeded=frozenset({"SUCCEEDED"}),
        ended=frozenset({"FAILED", "TIMED_OUT", "ABORTED"}),
        plain_output=plain_output,
    )


def _sagemaker(name: str) -> JobKind:
    return JobKind(
        service="sagemaker",
        start=f"Create{name}",
        describe=f"Describe{name}",
        stop=f"Stop{name}",
        status=f"{name}Status",
        succeeded=frozenset({"Completed"}),
        ended=frozenset({"Failed", "Stopped"}),
    )


JOBS: dict[str, JobKind] = {
    "states:startExecution.sync": _execution(plain_output=True),
    "states:startExecution.sync:2": _execution(plain_output=False),
    "sagemaker:createTrainingJob.sync": _sagemaker("TrainingJob"),
    "sagemaker:createProcessingJob.sync": _sagemaker("ProcessingJob"),
    "sagemaker:createHyperParameterTuningJob.sync": _sagemaker("HyperParameterTuningJob"),
    "glue:startJobRun.sync": GlueJobRun(
        service="glue",
        start="StartJobRun",
        describe="GetJobRun",
        stop="BatchStopJobRun",
        status="JobRunState",
        succeeded=frozenset({"SUCCEEDED"}),
        ended=frozenset({"FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"}),
    ),
    "emr-serverless:startJobRun.sync": EmrServerlessJobRun(
        service="emr-serverless",
        start="StartJobRun",
        describe="GetJobRun",
        stop="CancelJobRun",
        status="State",
        succeeded=frozenset({"SUCCESS"}),
        ended=frozenset({"FAILED", "CANCELLED"}),
    ),
    "codebuild:startBuild.sync": Build(
        service="codebuild",
        start="StartBuild",
        describe="BatchGetBuilds",
        stop="StopBuild",
        status="BuildStatus",
        succeeded=frozenset({"SUCCEEDED"}),
        ended=frozenset({"FAILED", "FAULT", "STOPPED", "TIMED_OUT"}),
    ),
}
