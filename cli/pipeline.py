"""`fourblocks pipeline`: see what a push does, and retry, release or stop it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cli.errors import NotThereError, RefusedError
from cli.pipeline_runs import (
    PipelineRun,
    build_of,
    log_lines,
    pipeline_name,
    read_run,
    reasons,
    restarted_run,
)
from cli.screen import console, row_line, watching

if TYPE_CHECKING:
    from cli.target import Target

POLL_SECONDS = 2.0
RESTART_POLLS = 10
"""How often a run is looked for that takes the place of a cancelled one."""
SUMMARY_CHARACTERS = 512
"""CodePipeline takes no longer word on an approval."""


def show_pipeline(target: Target, wanted: str, *, follow: bool) -> None:
    """Show a run's stages; follow it to its end where asked to.

    Raises:
        RefusedError: the run that was followed failed.

    """
    run = _follow(target, wanted) if follow else read_run(target, wanted)
    commit = run.commit[:12] or "commit not known yet"
    console.print(f"  {commit}, run {run.execution_id}: {run.status} {run.summary}", markup=False)
    if not follow:
        for row in run.rows():
            console.print(row_line(row), markup=False)
    _tell_reasons(target, run)
    for stage, action in _waiting(run):
        approve = target.command(f"pipeline approve {commit} --reason WHY")
        console.print(f"  {stage} / {action} waits for a person: {approve}", markup=False)
    if follow and run.status != "Succeeded":
        message = f"The run is {run.status}."
        raise RefusedError(message)


def _tell_reasons(target: Target, run: PipelineRun) -> None:
    """Say why a run failed; of a rollback, why the run failed that it undoes."""
    if run.undoes:
        console.print(f"  It undoes run {run.undoes}, which failed:", markup=False)
        run = read_run(target, run.undoes)
    for line in reasons(target, run):
        console.print(f"  {line}", style="red", markup=False)


def _follow(target: Target, wanted: str) -> PipelineRun:
    with watching() as watch:
        while True:
            run = read_run(target, wanted)
            watch.show(run.rows)
            successor = _successor(target, run)
            if not successor and (not run.is_running or _waiting(run)):
                return run
            wanted = successor or run.execution_id
            time.sleep(POLL_SECONDS)


def _successor(target: Target, run: PipelineRun) -> str:
    """Name the run that takes a cancelled one's place: the pipeline has updated itself."""
    for _ in range(RESTART_POLLS if run.status == "Cancelled" else 0):
        restarted = restarted_run(target, run)
        if restarted is not None:
            console.print(
                f"  the pipeline was changed: run {run.execution_id} is cancelled, "
                f"run {restarted.execution_id} begins anew with its source",
                markup=False,
            )
            return restarted.execution_id
        time.sleep(POLL_SECONDS)
    return ""


def _waiting(run: PipelineRun) -> list[tuple[str, str]]:
    """List the approvals that a run waits for."""
    return [
        (stage["stageName"], action["actionName"])
        for stage in run.stages
        for action in stage["actionStates"]
        if action.get("latestExecution", {}).get("token")
        and stage["latestExecution"]["pipelineExecutionId"] == run.execution_id
    ]


def show_build_log(target: Target, action_name: str, wanted: str) -> None:
    """Print the log of an action's latest build.

    Raises:
        NotThereError: the run has no such action, or it is no build.

    """
    run = read_run(target, wanted)
    ran = [each for each in run.actions if each["actionName"].lower() == action_name.lower()]
    if not ran:
        names = ", ".join(dict.fromkeys(each["actionName"] for each in run.actions)) or "none yet"
        message = f"Run {run.execution_id} has no action {action_name}; it has: {names}."
        raise NotThereError(message)
    build = build_of(target, ran[-1])
    if build is None:
        message = f"{action_name} is no build, it has no log."
        raise NotThereError(message)
    for line in log_lines(target, build, whole=True):
        console.print(line, markup=False)


def retry(target: Target, wanted: str) -> None:
    """Run the failed actions of a run's failed stage again.

    Raises:
        NotThereError: nothing of it failed.

    """
    run = read_run(target, wanted)
    failed = run.failed_actions()
    if not failed:
        message = f"Run {run.execution_id} is {run.status}: nothing of it failed."
        raise NotThereError(message)
    stage = failed[-1]["stageName"]
    target.client("codepipeline").retry_stage_execution(
        pipelineName=run.pipeline,
        stageName=stage,
        pipelineExecutionId=run.execution_id,
        retryMode="FAILED_ACTIONS",
    )
    console.print(f"  stage {stage} of run {run.execution_id} runs again", markup=False)


def decide(target: Target, wanted: str, *, approved: bool, reason: str) -> None:
    """Release a run into the stage that it waits before, or refuse it.

    The run is named, so that a word given on one run never lets another one through.

    Raises:
        NotThereError: the run waits for nobody.

    """
    run = read_run(target, wanted)
    waiting = _waiting(run)
    if not waiting:
        message = f"Run {run.execution_id} ({run.status}) waits for nobody's word."
        raise NotThereError(message)
    stage, action = waiting[0]
    status = "Approved" if approved else "Rejected"
    target.client("codepipeline").put_approval_result(
        pipelineName=run.pipeline,
        stageName=stage,
        actionName=action,
        result={"status": status, "summary": reason[:SUMMARY_CHARACTERS]},
        token=_token(run, stage, action),
    )
    console.print(f"  {stage} of run {run.execution_id}: {status.lower()}", markup=False)


def _token(run: PipelineRun, stage_name: str, action_name: str) -> Any:
    states = {stage["stageName"]: stage for stage in run.stages}[stage_name]["actionStates"]
    return {each["actionName"]: each for each in states}[action_name]["latestExecution"]["token"]


def stop(target: Target, wanted: str, *, abandon: bool, reason: str) -> None:
    """Stop a run: after the actions under way, or at once."""
    run = read_run(target, wanted)
    target.client("codepipeline").stop_pipeline_execution(
        pipelineName=pipeline_name(target),
        pipelineExecutionId=run.execution_id,
        abandon=abandon,
        reason=reason[:200],
    )
    console.print(f"  run {run.execution_id} stops", markup=False)
