"""Runs of the build pipeline as an operator reads them: stages, actions, reasons of failures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.errors import NotThereError
from cli.screen import Row, RowState

if TYPE_CHECKING:
    from cli.target import Target

ACTIVE = ("InProgress", "Stopping")
STATES: dict[str, RowState] = {
    "Succeeded": "done",
    "InProgress": "running",
    "Failed": "failed",
    "Abandoned": "failed",
    "Stopped": "failed",
    "Cancelled": "failed",
    "Skipped": "waiting",
}
CASES_SHOWN = 10
LOG_LINES_SHOWN = 12
_NOISE = re.compile(r"^\[Container\]|^\s*$")


@dataclass(frozen=True)
class PipelineRun:
    """One execution of the pipeline."""

    pipeline: str
    execution_id: str
    status: str
    summary: str
    started: datetime
    stages: Sequence[Mapping[str, Any]]
    """Of the pipeline, in their order, as `GetPipelineState` shows them."""
    actions: Sequence[Mapping[str, Any]]
    """Of this execution, in the order of their begin."""
    undoes: str = ""
    """The run whose failure this one answers, by going back to the release before."""
    revision: str = ""
    """What the source gave it."""

    @property
    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return self.status in ACTIVE

    @property
    def commit(self) -> str:
        """Name the commit, once the build has found it out."""
        for action in self.actions:
            found = action.get("output", {}).get("outputVariables", {}).get("COMMIT")
            if found:
                return str(found)
        return ""

    def failed_actions(self) -> list[Mapping[str, Any]]:
        """List the actions whose latest run in this execution failed."""
        latest = {(each["stageName"], each["actionName"]): each for each in self.actions}
        return [each for each in latest.values() if each["status"] in ("Failed", "Abandoned")]

    def rows(self) -> list[Row]:
        """Return stages and actions as rows of the display."""
        return [row for stage in self.stages for row in self._rows_of(stage)]

    def _rows_of(self, stage: Mapping[str, Any]) -> Iterator[Row]:
        name = stage["stageName"]
        ran = {each["actionName"]: each for each in self.actions if each["stageName"] == name}
        if not ran:
            yield Row(name, "waiting", 0.0, self._why_not(stage))
        for action, each in ran.items():
            ended = each["lastUpdateTime"] if each["status"] != "InProgress" else datetime.now(UTC)
            seconds = (ended - each["startTime"]).total_seconds()
            label = name if name == action else f"{name} / {action}"
            yield Row(label, STATES.get(each["status"], "running"), seconds, _said(each))

    def _why_not(self, stage: Mapping[str, Any]) -> str:
        latest = stage.get("latestExecution", {})
        if latest.get("pipelineExecutionId") != self.execution_id:
            return ""
        condition = stage.get("beforeEntryConditionState", {}).get("latestExecution", {})
        if latest["status"] == "Skipped":
            return f"skipped: {condition.get('summary', '')}"
        return str(latest["status"])


def _said(action: Mapping[str, Any]) -> str:
    result = action.get("output", {}).get("executionResult", {})
    return str(result.get("errorDetails", {}).get("message", "")).replace("\n", " ")


def pipeline_name(target: Target) -> str:
    """Name the environment's pipeline.

    Raises:
        NotThereError: it has none of its own.

    """
    if target.stack("BuildPipeline") is None and target.stack("Foundation") is not None:
        message = (
            f"{target.environment} has no pipeline of its own: another environment's releases it. "
            "Name that one with --environment."
        )
        raise NotThereError(message)
    return target.output("BuildPipeline", "PipelineName")


def read_run(target: Target, wanted: str = "") -> PipelineRun:
    """Read the latest execution, or that whose id or commit begins so.

    Raises:
        NotThereError: there is none.

    """
    client, name = target.client("codepipeline"), pipeline_name(target)
    pages = client.get_paginator("list_pipeline_executions").paginate(pipelineName=name)
    for page in pages:
        for summary in page["pipelineExecutionSummaries"]:
            run = _run_of(client, name, summary)
            if run.execution_id.startswith(wanted) or run.commit.startswith(wanted or "-"):
                return run
    what = f" whose id or commit begins with {wanted}" if wanted else ""
    message = f"The pipeline has no run{what}. Start one: git push {target.environment} main"
    raise NotThereError(message)


def _run_of(client: Any, name: str, summary: Mapping[str, Any]) -> PipelineRun:
    execution_id = summary["pipelineExecutionId"]
    pages = client.get_paginator("list_action_executions").paginate(
        pipelineName=name, filter={"pipelineExecutionId": execution_id}
    )
    newest_first = [each for page in pages for each in page["actionExecutionDetails"]]
    return PipelineRun(
        pipeline=name,
        execution_id=execution_id,
        status=summary["status"],
        summary=summary.get("statusSummary", ""),
        started=summary["startTime"],
        stages=client.get_pipeline_state(name=name)["stageStates"],
        actions=list(reversed(newest_first)),
        undoes=_undone(summary),
        revision=_revision(summary),
    )


def restarted_run(target: Target, run: PipelineRun) -> PipelineRun | None:
    """Find the run that began with the same source after a change of the pipeline cancelled one."""
    client = target.client("codepipeline")
    pages = client.get_paginator("list_pipeline_executions").paginate(pipelineName=run.pipeline)
    later = [
        summary
        for page in pages
        for summary in page["pipelineExecutionSummaries"]
        if summary["startTime"] > run.started and _revision(summary) == run.revision
    ]
    return _run_of(client, run.pipeline, later[-1]) if later and run.revision else None


def _revision(summary: Mapping[str, Any]) -> str:
    return "".join(str(each.get("revisionId", "")) for each in summary.get("sourceRevisions", []))


def _undone(summary: Mapping[str, Any]) -> str:
    trigger = summary.get("trigger", {})
    automatic = trigger.get("triggerType") == "AutomatedRollback"
    return str(trigger.get("triggerDetail", "")) if automatic else ""


def reasons(target: Target, run: PipelineRun) -> Iterator[str]:
    """Say why a run failed: what the action said, the tests that failed, the log's last words."""
    for action in run.failed_actions():
        yield f"{action['stageName']} / {action['actionName']}: {_said(action)}"
        build = build_of(target, action)
        if build:
            yield from _of_build(target, build)


def build_of(target: Target, action: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Find the build that an action ran."""
    result = action.get("output", {}).get("executionResult", {})
    build_id = result.get("externalExecutionId")
    if not build_id or action["input"]["actionTypeId"]["provider"] != "CodeBuild":
        return None
    builds = target.client("codebuild").batch_get_builds(ids=[build_id])["builds"]
    return dict(builds[0]) if builds else None


def _of_build(target: Target, build: Mapping[str, Any]) -> Iterator[str]:
    cases = list(failed_cases(target, build))
    for case in cases[:CASES_SHOWN]:
        message = str(case.get("message", "")).partition("\n")[0]
        yield f"  test {case.get('prefix', '')}.{case['name']}: {message}"
    if len(cases) > CASES_SHOWN:
        yield f"  and {len(cases) - CASES_SHOWN} more tests"
    if not cases:
        for line in log_lines(target, build)[-LOG_LINES_SHOWN:]:
            yield f"  {line}"


def failed_cases(target: Target, build: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the test cases of a build's reports that failed."""
    client = target.client("codebuild")
    arns = list(build.get("reportArns", []))
    found = client.batch_get_reports(reportArns=arns)["reports"] if arns else []
    for report in found:
        counts = report.get("testSummary", {}).get("statusCounts", {})
        for status in ("FAILED", "ERROR"):
            if counts.get(status):
                yield from client.describe_test_cases(
                    reportArn=report["arn"], filter={"status": status}
                )["testCases"]


def log_lines(target: Target, build: Mapping[str, Any], *, whole: bool = False) -> list[str]:
    """Read a build's log; without ``whole`` the container's own remarks are left out."""
    place = {
        "logGroupName": build["logs"]["groupName"],
        "logStreamName": build["logs"]["streamName"],
    }
    pages = (
        target.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=place["logGroupName"], logStreamNames=[place["logStreamName"]])
    )
    lines = [str(event["message"]).rstrip() for page in pages for event in page["events"]]
    return lines if whole else [line for line in lines if not _NOISE.match(line)]
