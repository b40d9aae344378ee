"""Executions as the API shows them: started, listed, stopped, retried, rolled back, approved."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from localcloud.codepipeline.engine import Engine, succeeded_actions
from localcloud.codepipeline.pipelines import Pipelines
from localcloud.documents import Document, Documents
from localcloud.event_targets import EVENT_SESSION
from localcloud.registry import Call, ServiceError

ACTIVE = ("InProgress", "Stopping")
PAGE = 100


class Executions:
    """Every execution of every pipeline."""

    def __init__(self, pipelines: Pipelines, documents: Documents, engine: Engine) -> None:
        self._pipelines = pipelines
        self._documents = documents
        self._engine = engine
        engine.roll_back = self._roll_back
        pipelines.changed = self._cancel

    def start(self, call: Call) -> Document:
        """Start an execution of a pipeline's current version."""
        session = call.caller.arn.rpartition("/")[2]
        by_rule = ":assumed-role/" in call.caller.arn and session.startswith(EVENT_SESSION)
        kind = "CloudWatchEvent" if by_rule else "StartPipelineExecution"
        declaration = self._pipelines.declaration(call.parameters["name"])
        return self._begin(
            declaration,
            {"triggerType": kind, "triggerDetail": call.caller.arn},
            variables=_pipeline_variables(declaration, call.parameters),
            revisions=_revisions(call),
        )

    def get(self, call: Call) -> Document:
        """Describe an execution."""
        execution = self._find(call)
        revisions = [
            {"name": name, "revisionId": each["id"], "revisionSummary": each["summary"]}
            for name, each in execution["revisions"].items()
        ]
        variables = execution["variables"].get("variables", {})
        return {
            "pipelineExecution": {
                "pipelineName": execution["pipeline"],
                "pipelineVersion": execution["declaration"]["version"],
                "pipelineExecutionId": execution["id"],
                "status": execution["status"],
                "statusSummary": execution["summary"],
                "artifactRevisions": revisions,
                "variables": [{"name": n, "resolvedValue": v} for n, v in variables.items()],
                **_kind(execution),
            }
        }

    def list(self, call: Call) -> Document:
        """Summarise the executions of a pipeline, the newest first."""
        executions = self._of(call.parameters["pipelineName"])
        summaries = [_summary(each) for each in reversed(executions)]
        return _page("pipelineExecutionSummaries", summaries, call)

    def list_actions(self, call: Call) -> Document:
        """Describe what every action of a pipeline's executions did, the newest first."""
        wanted = call.parameters.get("filter", {}).get("pipelineExecutionId")
        executions = self._of(call.parameters["pipelineName"])
        details = [
            _action_detail(execution, action)
            for execution in reversed(executions)
            if wanted in (None, execution["id"])
            for action in reversed(execution["actions"])
        ]
        return _page("actionExecutionDetails", details, call)

    def stop(self, call: Call) -> Document:
        """Stop an execution: after the actions under way, or at once."""
        execution = self._find(call)
        if execution["status"] not in ACTIVE:
            message = f"The execution is {execution['status']}; it cannot be stopped"
            raise ServiceError("PipelineExecutionNotStoppableException", message)
        abandon = call.parameters.get("abandon", False)
        if execution["status"] == "Stopping" and not abandon:
            raise ServiceError(
                "DuplicatedStopRequestException", "The execution is stopping already"
            )
        reason = call.parameters.get("reason", "")
        self._documents.change(
            execution["id"],
            lambda kept: kept.update(status="Stopping", summary=reason, stop_reason=reason),
        )
        self._engine.stop(execution["id"], abandon=abandon)
        return {"pipelineExecutionId": execution["id"]}

    def retry_stage(self, call: Call) -> Document:
        """Run a failed stage again, with its failed actions or all of them."""
        execution, stage = self._find(call), call.parameters["stageName"]
        self._pipelines.stage(execution["pipeline"], stage)
        if execution["stages"].get(stage, {}).get("status") != "Failed":
            message = f"Stage {stage} of execution {execution['id']} has not failed"
            raise ServiceError("StageNotRetryableException", message)
        if (
            execution["mode"] != "PARALLEL"
            and self._latest(execution["pipeline"], stage) != execution
        ):
            message = f"A newer execution has entered stage {stage} since"
            raise ServiceError("NotLatestPipelineExecutionException", message)
        only_failed = call.parameters["retryMode"] == "FAILED_ACTIONS"
        keep = succeeded_actions(execution, stage) if only_failed else ()
        self._documents.change(
            execution["id"], lambda kept: kept.update(status="InProgress", summary="")
        )
        self._engine.begin(execution["id"], stage, keep=sorted(keep))
        return {"pipelineExecutionId": execution["id"]}

    def rollback_stage(self, call: Call) -> Document:
        """Run a stage again with what an earlier execution, which succeeded there, carried."""
        name, stage = call.parameters["pipelineName"], call.parameters["stageName"]
        declaration = self._pipelines.declaration(name)
        if self._pipelines.stage(name, stage) == declaration["stages"][0]:
            message = f"Stage {stage} holds the sources: it cannot be rolled back"
            raise ServiceError("UnableToRollbackStageException", message)
        target = self._documents.get(call.parameters["targetPipelineExecutionId"])
        if target is None or target["pipeline"] != name:
            message = f"No execution {call.parameters['targetPipelineExecutionId']} of {name}"
            raise ServiceError("PipelineExecutionNotFoundException", message)
        if target["stages"].get(stage, {}).get("status") != "Succeeded":
            message = f"Execution {target['id']} did not succeed in stage {stage}"
            raise ServiceError("UnableToRollbackStageException", message)
        if target["declaration"]["version"] != declaration["version"]:
            message = f"The pipeline has changed since execution {target['id']}"
            raise ServiceError("PipelineExecutionOutdatedException", message)
        trigger = {"triggerType": "ManualRollback", "triggerDetail": call.caller.arn}
        return self._begin(declaration, trigger, rollback=target, stage=stage)

    def approve(self, call: Call) -> Document:
        """Give the word that an approval waits for."""
        given = call.parameters
        self._pipelines.stage(given["pipelineName"], given["stageName"])
        run = self._waiting(given["pipelineName"], given["stageName"], given["actionName"])
        if run is None or run.get("token") != given["token"]:
            message = "The token is of no approval that waits; its execution has ended or moved on"
            raise ServiceError("InvalidApprovalTokenException", message)
        word = {**given["result"], "by": call.caller.arn}
        if not self._engine.approvals.decide(given["token"], word):
            raise ServiceError("ApprovalAlreadyCompletedException", "The word was given already")
        return {"approvedAt": datetime.now(UTC)}

    def disable(self, call: Call) -> Document:
        """Let no execution into a stage."""
        self._engine.gates.close(self._gate(call), call.parameters["reason"])
        return {}

    def enable(self, call: Call) -> Document:
        """Let executions into a stage again."""
        self._engine.gates.open(self._gate(call))
        return {}

    def state(self, call: Call) -> Document:
        """Return each stage's transition, who waits, who is or was last in it, and its actions."""
        name = call.parameters["name"]
        described = self._pipelines.described(name)
        stages = self._pipelines.declaration(name)["stages"]
        return {**described, "stageStates": [self._stage_state(name, stage) for stage in stages]}

    def recover(self) -> None:
        """Say of executions that a stop of the embedded AWS interrupted that they failed."""
        summary = "The embedded AWS was stopped meanwhile."
        for name, execution in self._documents.all().items():
            if execution["status"] in ACTIVE:
                self._documents.change(
                    name, lambda kept: kept.update(status="Failed", summary=summary)
                )

    def _cancel(self, pipeline: str) -> None:
        """End what runs of an older version: PipelineExecution's documentation calls it Cancelled.

        "The pipeline's definition was updated before the pipeline execution could be completed."
        """
        summary = "The pipeline's definition was updated before the execution could be completed."
        for execution in self._of(pipeline):
            if execution["status"] in ACTIVE:
                self._documents.change(
                    execution["id"], lambda kept: kept.update(status="Cancelled", summary=summary)
                )
                self._engine.stop(execution["id"], abandon=True)

    def _roll_back(self, execution_id: str, stage: str) -> None:
        """Run a failed stage again with what the last execution that succeeded there carried."""
        failed = self._documents.get(execution_id)
        if failed is None:
            return
        declaration = self._pipelines.declaration(failed["pipeline"])
        good = [
            each
            for each in self._of(failed["pipeline"])
            if each["stages"].get(stage, {}).get("status") == "Succeeded"
            and each["declaration"]["version"] == declaration["version"]
        ]
        if good:
            latest = max(good, key=lambda each: each["stages"][stage]["entered"])
            trigger = {"triggerType": "AutomatedRollback", "triggerDetail": execution_id}
            self._begin(declaration, trigger, rollback=latest, stage=stage)

    def _begin(
        self,
        declaration: Document,
        trigger: Document,
        *,
        variables: Mapping[str, str] | None = None,
        revisions: Document | None = None,
        rollback: Document | None = None,
        stage: str = "",
    ) -> Document:
        execution_id = str(uuid.uuid4())
        carried = rollback or {"artefacts": {}, "revisions": revisions or {}, "variables": {}}
        own = {"PipelineExecutionId": execution_id}
        moment = time.time()
        self._documents.put(
            execution_id,
            {
                "id": execution_id,
                "pipeline": declaration["name"],
                "declaration": declaration,
                "mode": declaration.get("executionMode", "SUPERSEDED"),
                "type": "ROLLBACK" if rollback else "STANDARD",
                "rollback_of": rollback["id"] if rollback else "",
                "status": "InProgress",
                "summary": "",
                "trigger": trigger,
                "started": moment,
                "updated": moment,
                "variables": {
                    "variables": dict(variables or {}),
                    **carried["variables"],
                    "codepipeline": own,
                },
                "artefacts": carried["artefacts"],
                "revisions": carried["revisions"],
                "stages": {},
                "actions": [],
            },
        )
        self._engine.begin(execution_id, stage)
        return {"pipelineExecutionId": execution_id}

    def _find(self, call: Call) -> Document:
        given = call.parameters
        self._pipelines.declaration(given["pipelineName"])
        execution = self._documents.get(given["pipelineExecutionId"])
        if execution is None or execution["pipeline"] != given["pipelineName"]:
            message = f"No execution {given['pipelineExecutionId']} of {given['pipelineName']}"
            raise ServiceError("PipelineExecutionNotFoundException", message)
        return execution

    def _of(self, pipeline: str) -> Sequence[Document]:
        self._pipelines.declaration(pipeline)
        found = [each for each in self._documents.all().values() if each["pipeline"] == pipeline]
        return sorted(found, key=lambda each: each["started"])

    def _latest(self, pipeline: str, stage: str) -> Document | None:
        entered = [each for each in self._of(pipeline) if stage in each["stages"]]
        return max(entered, key=lambda each: each["stages"][stage]["entered"], default=None)

    def _gate(self, call: Call) -> tuple[str, str]:
        given = call.parameters
        self._pipelines.stage(given["pipelineName"], given["stageName"])
        return given["pipelineName"], given["stageName"]

    def _waiting(self, pipeline: str, stage: str, action: str) -> Document | None:
        execution = self._latest(pipeline, stage)
        if execution is None or execution["status"] not in ACTIVE:
            return None
        return _latest_run(execution, stage, action)

    def _stage_state(self, pipeline: str, stage: Mapping[str, Any]) -> Document:
        gate = (pipeline, stage["name"])
        reason = self._engine.gates.closed_because(gate)
        latest = self._latest(pipeline, stage["name"])
        waiting = [
            {"pipelineExecutionId": each, "status": "InProgress"}
            for each in self._engine.gates.waiting(gate)
        ]
        transition = {"enabled": reason is None}
        return {
            "stageName": stage["name"],
            "inboundTransitionState": transition | ({"disabledReason": reason} if reason else {}),
            "actionStates": [
                _action_state(latest, stage["name"], a["name"]) for a in stage["actions"]
            ],
            **({"inboundExecution": waiting[0], "inboundExecutions": waiting} if waiting else {}),
            **({"latestExecution": _stage_execution(latest, stage["name"])} if latest else {}),
            **_entry_state(latest, stage["name"]),
        }


def _stage_execution(execution: Document, stage: str) -> Document:
    return {
        "pipelineExecutionId": execution["id"],
        "status": execution["stages"][stage]["status"],
        "type": execution["type"],
    }


def _entry_state(execution: Document | None, stage: str) -> Document:
    """Say why the latest execution did not get in, where a condition held it back."""
    reason = execution["stages"][stage].get("condition") if execution else None
    if not reason:
        return {}
    return {
        "beforeEntryConditionState": {"latestExecution": {"status": "Failed", "summary": reason}}
    }


def _action_state(execution: Document | None, stage: str, action: str) -> Document:
    run = _latest_run(execution, stage, action) if execution else None
    if run is None:
        return {"actionName": action}
    shown = ("actionExecutionId", "status", "summary", "externalExecutionId", "token",
             "lastUpdatedBy", "errorDetails")  # fmt: skip
    latest = {name: run[name] for name in shown if run.get(name)}
    return {
        "actionName": action,
        "latestExecution": {**latest, "lastStatusChange": _time(run["lastStatusChange"])},
    }


def _latest_run(execution: Document, stage: str, action: str) -> Document | None:
    runs = (
        run
        for run in reversed(execution["actions"])
        if (run["stage"], run["action"]) == (stage, action)
    )
    return next(runs, None)


def _summary(execution: Document) -> Document:
    stop = (
        {"stopTrigger": {"reason": execution["stop_reason"]}} if "stop_reason" in execution else {}
    )
    return {
        "pipelineExecutionId": execution["id"],
        "status": execution["status"],
        "statusSummary": execution["summary"],
        "startTime": _time(execution["started"]),
        "lastUpdateTime": _time(execution["updated"]),
        "sourceRevisions": [
            {"actionName": name, "revisionId": each["id"], "revisionSummary": each["summary"]}
            for name, each in execution["revisions"].items()
        ],
        **_kind(execution),
        **stop,
    }


def _kind(execution: Document) -> Document:
    target = execution["rollback_of"]
    rollback = {"rollbackMetadata": {"rollbackTargetPipelineExecutionId": target}} if target else {}
    return {
        "trigger": execution["trigger"],
        "executionMode": execution["mode"],
        "executionType": execution["type"],
        **rollback,
    }


def _action_detail(execution: Document, run: Document) -> Document:
    stages = execution["declaration"]["stages"]
    stage = next(each for each in stages if each["name"] == run["stage"])
    declared = next(each for each in stage["actions"] if each["name"] == run["action"])
    result = {"externalExecutionId": run.get("externalExecutionId", "")}
    if "errorDetails" in run:
        result["errorDetails"] = run["errorDetails"]
    return {
        "pipelineExecutionId": execution["id"],
        "actionExecutionId": run["actionExecutionId"],
        "pipelineVersion": execution["declaration"]["version"],
        "stageName": run["stage"],
        "actionName": run["action"],
        "startTime": _time(run["startTime"]),
        "lastUpdateTime": _time(run["lastStatusChange"]),
        "status": run["status"],
        "input": {
            "actionTypeId": declared["actionTypeId"],
            "configuration": declared.get("configuration", {}),
            "resolvedConfiguration": run.get("configuration", {}),
            "inputArtifacts": _artefacts(execution, declared.get("inputArtifacts", [])),
            **({"namespace": declared["namespace"]} if "namespace" in declared else {}),
        },
        "output": {
            "outputArtifacts": _artefacts(execution, declared.get("outputArtifacts", [])),
            "outputVariables": run.get("output", {}),
            "executionResult": result,
        },
    }


def _artefacts(execution: Document, named: Sequence[Mapping[str, str]]) -> list[Document]:
    return [
        {"name": each["name"], "s3location": execution["artefacts"][each["name"]]}
        for each in named
        if each["name"] in execution["artefacts"]
    ]


def _pipeline_variables(declaration: Document, given: Mapping[str, Any]) -> dict[str, str]:
    values = {each["name"]: each["value"] for each in given.get("variables", [])}
    declared = declaration.get("variables", [])
    unknown = sorted(set(values) - {each["name"] for each in declared})
    if unknown:
        names = ", ".join(each["name"] for each in declared) or "none"
        message = f"The pipeline declares no variable {unknown[0]}; it declares: {names}"
        raise ServiceError("ValidationException", message)
    found = {each["name"]: values.get(each["name"], each.get("defaultValue")) for each in declared}
    missing = sorted(name for name, value in found.items() if value is None)
    if missing:
        raise ServiceError("ValidationException", f"Variable {missing[0]} has no value")
    return {name: str(value) for name, value in found.items()}


def _revisions(call: Call) -> Document:
    return {
        each["actionName"]: {"id": each["revisionValue"], "summary": ""}
        for each in call.parameters.get("sourceRevisions", [])
    }


def _page(name: str, items: Sequence[Document], call: Call) -> Document:
    first = int(call.parameters.get("nextToken", 0))
    end = first + int(call.parameters.get("maxResults", PAGE))
    return {name: list(items[first:end]), **({"nextToken": str(end)} if end < len(items) else {})}


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
