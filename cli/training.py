"""`fourblocks train`: start a training or attach to the running one, and follow it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.table import Table

from cli.datasets import get_item, read_object, use_case
from cli.errors import RefusedError
from cli.executions import Execution, read_execution, running_executions, steps
from cli.job_logs import PROCESSING_GROUP, TRAINING_GROUP, last_line
from cli.screen import Row, RowState, console, watching

if TYPE_CHECKING:
    from pathlib import Path

    from cli.target import Target

POLL_SECONDS = 2.0
CHECK_SECONDS = 120
"""How long the check of a configuration may take."""
ASKS = "Ask for approval"
"""The state in which the workflow waits for a person."""
WAITED_FOR = ("taken", "queued")
EVALUATION_NAME = "evaluation.json"
ENDED: dict[str, RowState] = {"Completed": "done", "Failed": "failed", "Stopped": "failed"}


class Job(NamedTuple):
    """One SageMaker job of a training."""

    label: str
    name: str
    is_processing: bool


class TrainingOutcome(NamedTuple):
    """What a training came to."""

    status: str
    evaluation: dict[str, Any] | None
    verdict: str
    seconds: float


def train(target: Target, *, reason: str) -> TrainingOutcome:
    """Follow the running training, or start one; a training of known inputs ends at once.

    Raises:
        RefusedError: the training or the deployment of its model failed.

    """
    workflow_arn = target.output("TrainingPipeline", "WorkflowArn")
    execution = follow(target, attach_or_start(target, workflow_arn, reason))
    if execution.status == "SUCCEEDED" and plan_of(execution).get("status") in WAITED_FOR:
        execution = follow(target, attach_or_start(target, workflow_arn, reason))
    if execution.status != "SUCCEEDED" and not waits_for_a_person(execution):
        message = (
            f"The training failed: {execution.failure()}\nRead its jobs: {target.command('logs')}"
        )
        raise RefusedError(message)
    return tell(target, execution)


def attach_or_start(target: Target, workflow_arn: str, reason: str) -> str:
    """Return the running execution's ARN, or that of a new one."""
    sfn = target.client("stepfunctions")
    for running in running_executions(sfn, workflow_arn):
        if not waits_for_a_person(read_execution(sfn, running)):
            console.print(f"  attached to the running training {running.rpartition(':')[2]}")
            return running
    caller = target.client("sts").get_caller_identity()["Arn"]
    request = json.dumps({"requested_by": caller, "reason": reason})
    return str(sfn.start_execution(stateMachineArn=workflow_arn, input=request)["executionArn"])


def hand_in(target: Target, file: Path) -> None:
    """Put a configuration into the config store and wait for its check.

    Raises:
        RefusedError: the configuration is wrong; the message names the field.

    """
    if not file.is_file():
        message = f"There is no file {file}."
        raise RefusedError(message)
    key = f"training/{use_case(target)}/{file.stem}.yaml"
    caller = target.client("sts").get_caller_identity()["Arn"]
    before = outcome_of(target, key)
    target.client("s3").put_object(
        Bucket=target.output("Foundation", "ConfigBucketName"),
        Key=key,
        Body=file.read_bytes(),
        ContentType="application/yaml",
        Metadata={"requested-by": caller},
    )
    deadline = time.monotonic() + CHECK_SECONDS
    while (outcome := outcome_of(target, key)) == before:
        if time.monotonic() > deadline:
            message = f"{file} was not checked within {CHECK_SECONDS} s. See: "
            raise RefusedError(message + target.command("logs"))
        time.sleep(POLL_SECONDS)
    if outcome is not None and outcome["state"] == "refused":
        raise RefusedError(str(outcome["reason"]))
    console.print(f"  {file} is the configuration now", markup=False)


def outcome_of(target: Target, key: str) -> dict[str, Any] | None:
    """Read what became of a document of the config store."""
    item = {"pk": f"CONFIG#{use_case(target)}", "sk": f"DOCUMENT#{key}"}
    return get_item(target, "ModelTableName", item)


def follow(target: Target, arn: str) -> Execution:
    """Show an execution's steps and jobs until it has ended."""
    sfn = target.client("stepfunctions")
    with watching() as watch:
        while True:
            execution = read_execution(sfn, arn)
            rows = [*execution.rows(), *job_rows(target, execution)]
            watch.show(lambda rows=rows: rows)  # type: ignore[misc] # mypy has no inference for it
            if not execution.is_running or waits_for_a_person(execution):
                return execution
            time.sleep(POLL_SECONDS)


def waits_for_a_person(execution: Execution) -> bool:
    """Tell whether the workflow has asked for an approval and got none yet."""
    if not execution.is_running:
        return False
    return any(step.name == ASKS and step.running for step in steps(execution.events))


def plan_of(execution: Execution) -> dict[str, Any]:
    """Return what the workflow planned to train; empty before it did."""
    return execution.document("training_id", "status", "members")


def jobs_of(plan: dict[str, Any]) -> list[Job]:
    """List the jobs that a plan names."""
    members = [
        Job(f"  member {member['name']}", member["training_job_name"], is_processing=False)
        for member in plan["members"]
    ]
    stacker = Job("  stacker", plan["stack_job_name"], is_processing=False)
    processing = [
        Job(f"  {part}", plan[f"{part}_job_name"], is_processing=True)
        for part in ("preparation", "evaluation", "reproduction")
        if f"{part}_job_name" in plan
    ]
    return [*members, stacker, *processing]


def job_rows(target: Target, execution: Execution) -> list[Row]:
    """Describe the jobs that exist, each with the last line of its log."""
    plan = plan_of(execution)
    if plan.get("status") != "ready":
        return []
    rows = (job_row(target, job) for job in jobs_of(plan))
    return [row for row in rows if row is not None]


def job_row(target: Target, job: Job) -> Row | None:
    """Describe one job, or None before it exists."""
    sagemaker = target.client("sagemaker")
    kind = "ProcessingJob" if job.is_processing else "TrainingJob"
    listing = sagemaker.list_processing_jobs if job.is_processing else sagemaker.list_training_jobs
    found = listing(NameContains=job.name)[f"{kind}Summaries"]
    if not found:
        return None
    summary = found[0]
    status = summary[f"{kind}Status"]
    group = PROCESSING_GROUP if job.is_processing else TRAINING_GROUP
    end = summary.get(f"{kind}EndTime") or datetime.now(UTC)
    detail = last_line(target, group, job.name)
    state = ENDED.get(status, "running")
    seconds = (end - summary["CreationTime"]).total_seconds()
    return Row(job.label, state, seconds, detail)


def tell(target: Target, execution: Execution) -> TrainingOutcome:
    """Print the verdict and the model's quality beside its baselines."""
    plan = plan_of(execution)
    status = str(plan.get("status", "ready"))
    if status == "unchanged":
        console.print("  unchanged: a model of this very dataset, configuration and image exists")
        judgement = model_record(target, plan.get("registered_version")) or {}
    else:
        judgement = execution.document("verdict", "reasons", "evaluation_uri")
    uri = judgement.get("evaluation_uri")
    evaluation = read_evaluation(target, str(uri)) if uri else None
    if evaluation is not None:
        console.print(metrics_table(evaluation))
    verdict = str(judgement.get("verdict", "-"))
    console.print(f"  verdict: [bold]{verdict}[/bold]")
    for reason in judgement.get("reasons", []):
        console.print(f"    {reason}", markup=False)
    if waits_for_a_person(execution):
        version = execution.document("version", "model_id").get("version")
        approve = target.command(f"approve {version} --reason WHY")
        console.print(f"  waits for somebody else's approval: {approve}", markup=False)
    return TrainingOutcome(status, evaluation, verdict, execution.seconds)


def model_record(target: Target, version: Any) -> dict[str, Any] | None:
    """Return the repository's record of a model version."""
    if version is None:
        return None
    key = {"pk": f"MODEL#{use_case(target)}", "sk": f"V#{int(version):08d}"}
    return get_item(target, "ModelTableName", key)


def read_evaluation(target: Target, uri: str) -> dict[str, Any] | None:
    """Read the evaluation that a verdict rests on; the URI is the report's or its folder's."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not key.endswith(".json"):
        key = f"{key.rstrip('/')}/{EVALUATION_NAME}"
    text = read_object(target, bucket, key)
    return None if text is None else dict(json.loads(text))


def metrics_table(evaluation: dict[str, Any]) -> Table:
    """Lay out the held-out quality of the model, its members and the baselines."""
    table = Table("on the test rows", "AUC", "PR-AUC", "log loss", "Brier", "ECE", box=None)
    named = {
        "this model": evaluation["challenger"],
        **({"serving model": evaluation["champion"]} if "champion" in evaluation else {}),
        **{name.replace("_", " "): value for name, value in evaluation["baselines"].items()},
        **{f"member {name}": value for name, value in evaluation["members"].items()},
        **{f"without {name}": value for name, value in evaluation["without_source"].items()},
    }
    for name, metrics in named.items():
        values = [metrics[key] for key in ("auc", "pr_auc", "log_loss", "brier", "ece")]
        table.add_row(name, *(f"{value:.4f}" for value in values))
    return table
