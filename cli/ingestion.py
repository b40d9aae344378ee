"""`fourblocks ingest`: land source files, then follow the data pipeline to its end."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError
from rich.table import Table

from cli.arrival import tell_arrival
from cli.datasets import batch_claim, latest_dataset, run_report
from cli.errors import NotThereError, RefusedError
from cli.executions import Execution, executions_since, read_execution, running_executions
from cli.screen import console, one_step, watching

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cli.target import Target

LANDING_PREFIX = "landing/"
DIGEST_METADATA = "sha256"
CHUNK_BYTES = 1024 * 1024
ARRIVAL_SECONDS = 120.0
POLL_SECONDS = 1.0
CLOCK_SKEW = timedelta(seconds=2)
"""A machine's clock may be this much ahead of the platform's."""


class SourceFile(NamedTuple):
    """One file to land."""

    path: Path
    key: str
    digest: str
    size_bytes: int


class Outcome(NamedTuple):
    """What the data pipeline made of a batch."""

    status: str
    dataset_id: str | None
    detail: str
    run_id: str = ""


def ingest(target: Target, folder: Path) -> Outcome:
    """Land a folder's files and follow the data pipeline until it has published, refused or waits.

    Raises:
        RefusedError: the pipeline rejected the batch, or failed.

    """
    return land_and_follow(target, source_files(folder))


def land_and_follow(target: Target, files: Sequence[SourceFile]) -> Outcome:
    """Land files and follow the runs that their arrival starts.

    Raises:
        RefusedError: the pipeline rejected the batch, or failed.

    """
    bucket = target.output("Foundation", "RawLakeBucketName")
    workflow_arn = target.output("DataPipeline", "WorkflowArn")
    begun = datetime.now(UTC) - CLOCK_SKEW
    uploaded = upload_changed(target, bucket, files)
    arns = triggered(target, workflow_arn, begun, uploaded)
    executions = follow(target, workflow_arn, arns, begun)
    if batch_of(executions[-1]).get("status") == "taken":
        others = running_executions(target.client("stepfunctions"), workflow_arn)
        executions = follow(target, workflow_arn, others or arns, begun)
    return judge(target, executions)


def batch_of(execution: Execution) -> dict[str, Any]:
    """Return what the workflow said of the batch when it looked at what had landed."""
    return execution.document("batch_id", "status", "waiting_for")


def dataset_of(execution: Execution) -> dict[str, Any]:
    """Return the dataset version that an execution published; empty if it published none."""
    return execution.document("dataset_id", "manifest_uri")


def source_files(folder: Path) -> list[SourceFile]:
    """List `<folder>/<source>/<file>` with each file's digest, small files first.

    The largest arrives last, so that the run it starts finds all the others landed.

    Raises:
        NotThereError: the folder is missing or holds no such file.

    """
    if not folder.is_dir():
        message = (
            f"There is no folder {folder}. It should hold one folder a source, each with files."
        )
        raise NotThereError(message)
    paths = sorted(path for path in folder.glob("*/*") if path.is_file())
    if not paths:
        message = (
            f"{folder} holds no <source>/<file>. Each source's files go to a folder of its name."
        )
        raise NotThereError(message)
    files = [
        SourceFile(
            path=path,
            key=f"{LANDING_PREFIX}{path.parent.name}/{path.name}",
            digest=file_digest(path),
            size_bytes=path.stat().st_size,
        )
        for path in paths
    ]
    return sorted(files, key=lambda file: file.size_bytes)


def file_digest(path: Path) -> str:
    """Return a file's SHA-256, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_landed(s3: Any, bucket: str, file: SourceFile) -> bool:
    """Tell whether the current version of the object holds this very content."""
    try:
        head = s3.head_object(Bucket=bucket, Key=file.key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
            return False
        raise
    return bool(head["Metadata"].get(DIGEST_METADATA) == file.digest)


def upload_changed(target: Target, bucket: str, files: Sequence[SourceFile]) -> int:
    """Upload the files whose content is not there yet; return how many."""
    s3 = target.client("s3")
    fresh = [file for file in files if not is_landed(s3, bucket, file)]
    unchanged = len(files) - len(fresh)
    if unchanged:
        console.print(f"  {unchanged} of {len(files)} files are landed already, unchanged")
    if fresh:
        upload(s3, bucket, fresh)
    return len(fresh)


def upload(s3: Any, bucket: str, files: Sequence[SourceFile]) -> None:
    """Upload files with their digests, telling how far they are."""
    total = sum(file.size_bytes for file in files)
    sent = 0
    with one_step(f"upload {len(files)} files, {total / 1e6:.1f} MB") as step:
        for file in files:

            def progress(count: int, name: str = file.key) -> None:
                nonlocal sent
                sent += count
                share = sent / max(1, total)
                step.say(f"{bar(share)} {share:4.0%}  {name}")

            extra = {"Metadata": {DIGEST_METADATA: file.digest}}
            s3.upload_file(str(file.path), bucket, file.key, ExtraArgs=extra, Callback=progress)


def bar(share: float, width: int = 20) -> str:
    """Draw a share between 0 and 1 as a bar."""
    filled = round(max(0.0, min(1.0, share)) * width)
    return "█" * filled + "░" * (width - filled)


def triggered(target: Target, workflow_arn: str, begun: datetime, uploaded: int) -> list[str]:
    """Return the executions to follow: those that the arrivals start, or one that is started now.

    Where nothing was uploaded and nothing runs, the pipeline is asked once more. It ends at once
    when the batch is published, and takes up a batch whose run was cut short.
    """
    sfn = target.client("stepfunctions")
    if uploaded:
        return await_arrivals(sfn, workflow_arn, begun, uploaded)
    running = running_executions(sfn, workflow_arn)
    if running:
        return running
    started = sfn.start_execution(stateMachineArn=workflow_arn, input="{}")
    return [started["executionArn"]]


def await_arrivals(sfn: Any, workflow_arn: str, begun: datetime, uploaded: int) -> list[str]:
    """Wait until each uploaded object has started its execution.

    Raises:
        RefusedError: the data pipeline was not started at all.

    """
    deadline = time.monotonic() + ARRIVAL_SECONDS
    with one_step("arrival of data starts the data pipeline") as step:
        while True:
            found = executions_since(sfn, workflow_arn, begun)
            step.say(f"{len(found)} of {uploaded} arrivals seen")
            if len(found) >= uploaded:
                break
            if time.monotonic() > deadline:
                message = (
                    f"{uploaded} files were uploaded, but only {len(found)} executions started "
                    f"within {ARRIVAL_SECONDS:.0f} s. Is the rule of the raw lake enabled?"
                )
                raise RefusedError(message)
            time.sleep(POLL_SECONDS)
    return [item["executionArn"] for item in found]


def follow(
    target: Target, workflow_arn: str, arns: Sequence[str], begun: datetime
) -> list[Execution]:
    """Show the longest of the executions until all have ended, later arrivals included."""
    sfn = target.client("stepfunctions")
    known = dict.fromkeys(arns)
    with watching() as watch:
        while True:
            executions = [read_execution(sfn, arn) for arn in known]
            longest = max(executions, key=lambda execution: execution.seconds)
            watch.show(longest.rows)
            if not any(execution.is_running for execution in executions):
                break
            time.sleep(POLL_SECONDS)
            known |= {
                item["executionArn"]: None for item in executions_since(sfn, workflow_arn, begun)
            }
    return executions


def judge(target: Target, executions: Sequence[Execution]) -> Outcome:
    """Say what the executions came to.

    Raises:
        RefusedError: the batch was rejected, or a run failed.

    """
    last_failed = next((item for item in reversed(executions) if item.status != "SUCCEEDED"), None)
    published = next((item for item in reversed(executions) if dataset_of(item)), None)
    if published is not None:
        return tell_published(target, published)
    if last_failed is not None:
        raise RefusedError(rejection(target, last_failed))
    return tell_quiet_end(target, executions[-1])


def tell_published(target: Target, execution: Execution) -> Outcome:
    """Print the dataset version that a run published."""
    dataset_id = str(dataset_of(execution)["dataset_id"])
    run_id = str(batch_of(execution).get("run_id"))
    report = run_report(target, run_id)
    if report is not None:
        console.print(sources_table(report))
        console.print(f"  rows: {rows_text(report.get('rows', {}))}")
    console.print(f"  dataset [bold]{dataset_id}[/bold] is published")
    tell_arrival(batch_of(execution))
    return Outcome("published", dataset_id, "", run_id)


def tell_quiet_end(target: Target, execution: Execution) -> Outcome:
    """Print why a run ended without work: it waits for sources, or knows this batch.

    Raises:
        RefusedError: this very batch was rejected before.

    """
    batch = batch_of(execution)
    detail = str(batch.get("detail", ""))
    tell_arrival(batch)
    if batch.get("status") == "waiting" and batch.get("waiting_for"):
        return Outcome("waiting", None, detail)
    claim = batch_claim(target, str(batch.get("batch_id"))) or {}
    if claim.get("state") == "rejected":
        message = f"This batch was rejected before and has not changed: {claim.get('reason', '')}"
        raise RefusedError(message)
    latest = latest_dataset(target) or {}
    console.print(f"  unchanged: dataset {latest.get('dataset_id', '-')} holds this very data")
    return Outcome("unchanged", latest.get("dataset_id"), detail)


def rejection(target: Target, execution: Execution) -> str:
    """Write why a batch was rejected, with what its run reported."""
    report = run_report(target, str(batch_of(execution).get("run_id"))) or {}
    if report:
        console.print(sources_table(report))
    reason = report.get("reason") or execution.failure()
    return (
        f"The data pipeline rejected the batch: {reason}\n"
        "Broken records are in the raw lake under quarantine/, each with its reason. "
        "Correct the source file and ingest it again."
    )


def sources_table(report: dict[str, Any]) -> Table:
    """Lay out what became of each source's records."""
    table = Table("source", "rows read", "valid", "quarantined", "reasons", box=None)
    for name, source in sorted(report.get("sources", {}).items()):
        reasons = ", ".join(f"{rule} {count}" for rule, count in source["reasons"].items())
        numbers = [source[key] for key in ("rows_read", "rows_valid", "rows_quarantined")]
        table.add_row(name, *(f"{number:,}" for number in numbers), reasons)
    return table


def rows_text(rows: dict[str, int]) -> str:
    """Write row counts by split in one line."""
    return json.dumps({split: f"{count:,}" for split, count in rows.items()}).replace('"', "")[1:-1]
