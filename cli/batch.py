"""`fourblocks batch`: a file of requests, answered by the serving model without its endpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.errors import NotThereError, RefusedError
from cli.overview import serving_model
from cli.screen import console, one_step

if TYPE_CHECKING:
    from pathlib import Path

    from cli.target import Target

PREFIX = "batch"
POLL_SECONDS = 2.0
LOG_GROUP = "/aws/sagemaker/TransformJobs"
KINDS = (".jsonl", ".ndjson")
"""Files of one instance a line."""
JSON_LINES = "application/jsonlines"
ENDED = {"Completed", "Failed", "Stopped"}


class BatchOptions(NamedTuple):
    """How a file is to be answered."""

    output: Path | None = None
    instance_type: str = "ml.m5.large"
    joined: bool = False
    """Each answer stands with what was asked."""


def batch(
    target: Target, file: Path, options: BatchOptions, pause: Callable[[float], None] = time.sleep
) -> Path:
    """Answer a file by a batch transform job, and write the answers beside it.

    Raises:
        NotThereError: no model serves yet.
        RefusedError: the file is of no known kind, or the job failed.

    """
    request = transform_request(target, file, options)
    sagemaker, s3 = target.client("sagemaker"), target.client("s3")
    bucket, name = analytics_bucket(target), str(request["TransformJobName"])
    s3.upload_file(str(file), bucket, f"{PREFIX}/{name}/in/{file.name}")
    sagemaker.create_transform_job(**request)
    with one_step(f"batch transform {name}") as step:
        job = _follow(sagemaker, name, step.say, pause)
    if job["TransformJobStatus"] != "Completed":
        reason = job.get("FailureReason", job["TransformJobStatus"])
        message = f"{file} was not answered: {reason}\nSee: {target.command(f'logs {LOG_GROUP}')}"
        raise RefusedError(message)
    answers = options.output or file.with_name(f"{file.name}.out")
    s3.download_file(bucket, f"{PREFIX}/{name}/out/{file.name}.out", str(answers))
    console.print(f"{answers}: {_lines(answers)} answers", markup=False)
    return answers


def transform_request(target: Target, file: Path, options: BatchOptions) -> dict[str, Any]:
    """Write the request of the job: the serving version's model, a line a record.

    Raises:
        RefusedError: there is no such file, or it is of no known kind.

    """
    if file.suffix not in KINDS or not file.is_file():
        message = f"{file} is no file of one instance a line ({', '.join(KINDS)})."
        raise RefusedError(message)
    name = f"fourblocks-{target.environment}-batch-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    place = f"s3://{analytics_bucket(target)}/{PREFIX}/{name}"
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{place}/in/"}}
    return {
        "TransformJobName": name,
        "ModelName": serving_model_name(target),
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": source,
            "ContentType": JSON_LINES,
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"{place}/out",
            "Accept": JSON_LINES,
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": options.instance_type, "InstanceCount": 1},
        "DataProcessing": {"JoinSource": "Input" if options.joined else "None"},
    }


def analytics_bucket(target: Target) -> str:
    """Return the bucket of analytics data, which answers of batches are."""
    return target.output("Foundation", "AnalyticsBucketName")


def serving_model_name(target: Target) -> str:
    """Return the SageMaker model of the version that serves; its endpoint may sleep.

    Raises:
        NotThereError: no model serves yet.

    """
    serving = serving_model(target)
    if serving is None:
        message = f"No model serves yet. Run: {target.command('train')}"
        raise NotThereError(message)
    config = target.client("sagemaker").describe_endpoint_config(
        EndpointConfigName=serving["endpoint_config_name"]
    )
    return str(config["ProductionVariants"][0]["ModelName"])


def _follow(
    sagemaker: Any, name: str, say: Callable[[str], None], pause: Callable[[float], None]
) -> dict[str, Any]:
    while True:
        job: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName=name)
        if job["TransformJobStatus"] in ENDED:
            return job
        say(job["TransformJobStatus"])
        pause(POLL_SECONDS)


def _lines(file: Path) -> int:
    return sum(1 for line in file.read_bytes().splitlines() if line)
