"""Batch transform jobs: the operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.jobs.runs import Run
from localcloud.registry import Call
from localcloud.sagemaker.container_run import STOP_GRACE_SECONDS
from localcloud.sagemaker.errors import invalid, unsupported
from localcloud.sagemaker.job_operations import Jobs, JobType
from localcloud.sagemaker.layout import role_of
from localcloud.sagemaker.models import MODEL
from localcloud.sagemaker.scope import Document, Scope
from localcloud.sagemaker.transform_run import TransformRun

WHOLE = "$"
"""The filter that lets everything pass."""


class TransformJobs(Jobs):
    """Creates, describes, lists and stops batch transform jobs."""

    about = JobType(
        noun="TransformJob",
        kind="transform-job",
        words="transform job",
        summaries="TransformJobSummaries",
        summary=(
            *("TransformJobName", "TransformJobArn", "CreationTime", "TransformEndTime"),
            *("LastModifiedTime", "TransformJobStatus", "FailureReason"),
        ),
        missing="Could not find requested job with name: {name}",
        taken=(
            "Job name must be unique within an AWS account and region, and a job with this "
            "name already exists"
        ),
    )

    def create(self, call: Call) -> Document:
        """Start a transform job."""
        request = dict(call.parameters)
        _check(request)
        scope = Scope.of(call)
        missing = f'Could not find model "{scope.arn(MODEL, request["ModelName"])}".'
        model = self._store.get(scope, MODEL, request["ModelName"], missing)
        role = role_of(self._host, model["ExecutionRoleArn"])
        description = {key: value for key, value in request.items() if key != "Tags"}
        state = self._add(scope, description, request.get("Tags", []))
        run = Run(STOP_GRACE_SECONDS)
        self._begin(state, run, TransformRun(self._host, state, run, role, request, model))
        return {"TransformJobArn": state.arn}


def _check(request: Mapping[str, Any]) -> None:
    given, wanted = request["TransformInput"], request["TransformOutput"]
    if request["TransformResources"]["InstanceCount"] != 1:
        raise unsupported("batch transform on more than one instance")
    if given["DataSource"]["S3DataSource"]["S3DataType"] != "S3Prefix":
        raise unsupported("any source of batch transform but an S3Prefix")
    if given.get("SplitType", "None") not in ("None", "Line"):
        raise unsupported(f"SplitType {given['SplitType']}")
    if "DataCaptureConfig" in request:
        raise unsupported("DataCaptureConfig of batch transform")
    _check_processing(request.get("DataProcessing", {}), given, wanted)
    payload, at_once = request.get("MaxPayloadInMB", 6), request.get("MaxConcurrentTransforms", 1)
    if payload * at_once > 100:  # noqa: PLR2004 - of the API
        raise invalid("MaxConcurrentTransforms * MaxPayloadInMB must not exceed 100 MB.")


def _check_processing(
    processing: Mapping[str, Any], given: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    for name in ("InputFilter", "OutputFilter"):
        if processing.get(name, WHOLE) != WHOLE:
            raise unsupported(f"{name} {processing[name]!r}: any filter but {WHOLE}")
    joins = processing.get("JoinSource", "None") == "Input"
    by_line = given.get("SplitType") == "Line" and wanted.get("AssembleWith") == "Line"
    if joins and not by_line:
        raise invalid("JoinSource Input needs SplitType Line and AssembleWith Line.")
