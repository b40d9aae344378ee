"""Carries executions out: stage by stage, the actions of a stage by their run order."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.codepipeline.actions import (
    ActionFailedError,
    ActionResult,
    ActionRun,
    Approvals,
    fetch_s3_source,
    run_build,
)
from localcloud.codepipeline.conditions import entry_of
from localcloud.codepipeline.stage_gates import StageGates
from localcloud.codepipeline.variables import UnknownVariableError, resolve
from localcloud.documents import Document, Documents
from localcloud.jobs.host import Host, client

LOG = logging.getLogger(__name__)
PRINCIPAL = "codepipeline.amazonaws.com"
ENDING = ("Stopping", "Cancelled")
"""States in which the actions under way end and no other begins."""
FAILURES = (ActionFailedError, UnknownVariableError, BotoCoreError, ClientError, KeyError)


class Engine:
    """Runs every execution in a thread of its own; what happens is kept in its document."""

    def __init__(self, host: Host, executions: Documents) -> None:
        self.gates = StageGates()
        self.approvals = Approvals()
        self._host = host
        self._executions = executions
        self._stops: dict[str, threading.Event] = {}
        self.roll_back: Callable[[str, str], None] = _keep
        """Runs a stage again with what last succeeded there; given execution and stage."""
        self._providers = {
            ("Source", "S3"): fetch_s3_source,
            ("Build", "CodeBuild"): run_build,
            ("Test", "CodeBuild"): run_build,
            ("Approval", "Manual"): self.approvals.run,
        }

    def begin(self, execution_id: str, stage: str = "", *, keep: Sequence[str] = ()) -> None:
        """Carry an execution out from a stage on; actions to keep have succeeded before."""
        self._stops[execution_id] = threading.Event()
        arguments = (execution_id, stage, frozenset(keep))
        name = f"pipeline-{execution_id}"
        threading.Thread(target=self._run, args=arguments, name=name, daemon=True).start()

    def stop(self, execution_id: str, *, abandon: bool) -> None:
        """End an execution: at once, or when the actions under way have ended."""
        event = self._stops.get(execution_id)
        if event and abandon:
            event.set()
        self.gates.look_again()
        self.approvals.look_again()

    def _run(self, execution_id: str, first: str, keep: frozenset[str]) -> None:
        try:
            status, summary = self._stages(execution_id, first, keep)
        except Exception as error:
            LOG.exception("pipeline execution %s", execution_id)
            status, summary = "Failed", f"Internal service error: {error}"
        self._end(execution_id, status, summary)
        self._stops.pop(execution_id, None)
        self.gates.look_again()

    def _end(self, execution_id: str, status: str, summary: str) -> None:
        """Give the execution its final state; one that was cancelled stays so."""

        def change(kept: Document) -> None:
            if kept["status"] != "Cancelled":
                kept.update(status=status, summary=summary, updated=time.time())

        self._executions.change(execution_id, change)

    def _stages(self, execution_id: str, first: str, keep: frozenset[str]) -> tuple[str, str]:
        execution = self._get(execution_id)
        stages = execution["declaration"]["stages"]
        names = [stage["name"] for stage in stages]
        remaining = stages[names.index(first) if first else 0 :]
        if execution["type"] == "ROLLBACK":
            remaining = remaining[:1]
        for stage in remaining:
            ended = self._stage(execution_id, stage, keep)
            if ended:
                return ended
            keep = frozenset()
        return "Succeeded", ""

    def _stage(
        self, execution_id: str, stage: Mapping[str, Any], keep: frozenset[str]
    ) -> tuple[str, str] | None:
        """Run a stage; tell how the execution ends here, or None where it goes on."""
        execution = self._get(execution_id)
        gate = (execution["pipeline"], stage["name"])

        def stopping() -> bool:
            return bool(self._get(execution_id)["status"] in ENDING)

        entry = self.gates.enter(gate, execution_id, execution["mode"], stopping)
        if entry != "entered":
            return entry.capitalize(), f"before stage {stage['name']}"
        try:
            failure = self._admit(execution_id, stage) or self._enter(execution_id, stage, keep)
        finally:
            self.gates.leave(gate, execution_id)
        if stopping():
            return "Stopped", f"in stage {stage['name']}"
        if not failure:
            return None
        if stage.get("onFailure", {}).get("result") == "ROLLBACK" and not execution["rollback_of"]:
            self.roll_back(execution_id, stage["name"])
        return "Failed", f"{stage['name']}: {failure}"

    def _admit(self, execution_id: str, stage: Mapping[str, Any]) -> str:
        """Hold the stage's conditions of entry; give why the execution fails there, or nothing."""
        execution = self._get(execution_id)
        # A rollback is no entry: the execution it goes back to was admitted.
        if execution["rollback_of"] or "beforeEntry" not in stage:
            return ""
        entry = entry_of(stage["beforeEntry"], execution["variables"])
        if entry.result:
            status = "Skipped" if entry.result == "SKIP" else "Failed"
            self._stage_status(execution_id, stage["name"], status, condition=entry.reason)
        return entry.reason if entry.result == "FAIL" else ""

    def _enter(self, execution_id: str, stage: Mapping[str, Any], keep: frozenset[str]) -> str:
        """Run a stage's actions, once more where its declaration wants that of a failure."""
        if self._get(execution_id)["stages"].get(stage["name"], {}).get("status") == "Skipped":
            return ""
        failure = self._actions(execution_id, stage, keep)
        rule = stage.get("onFailure", {})
        if failure and rule.get("result") == "RETRY":
            done = self._succeeded(execution_id, stage["name"])
            again = rule.get("retryConfiguration", {}).get("retryMode", "ALL_ACTIONS")
            kept = done if again == "FAILED_ACTIONS" else frozenset[str]()
            failure = self._actions(execution_id, stage, kept)
        return failure

    def _actions(self, execution_id: str, stage: Mapping[str, Any], keep: frozenset[str]) -> str:
        def order(action: Mapping[str, Any]) -> int:
            return int(action.get("runOrder", 1))

        self._stage_status(execution_id, stage["name"], "InProgress")
        failure = ""
        for _, group in groupby(sorted(stage["actions"], key=order), key=order):
            todo = [action for action in group if action["name"] not in keep]
            with ThreadPoolExecutor(max(1, len(todo))) as pool:
                failures = list(
                    pool.map(lambda each: self._action(execution_id, stage["name"], each), todo)
                )
            failure = "; ".join(each for each in failures if each)
            if failure or self._get(execution_id)["status"] in ENDING:
                break
        stopped = not failure and self._get(execution_id)["status"] in ENDING
        state = "Failed" if failure else "Stopped" if stopped else "Succeeded"
        self._stage_status(execution_id, stage["name"], state)
        return failure

    def _action(self, execution_id: str, stage: str, declaration: Mapping[str, Any]) -> str:
        """Run one action; give its failure, or nothing."""
        name = declaration["name"]
        fields = {"actionExecutionId": str(uuid.uuid4()), "status": "InProgress"}
        self._tell(execution_id, stage, name, {**fields, "startTime": time.time()}, fresh=True)
        try:
            result = self._carry_out(execution_id, stage, declaration)
        except FAILURES as error:
            failure = str(error) or type(error).__name__
            abandoned = self._stops[execution_id].is_set()
            self._tell(
                execution_id,
                stage,
                name,
                {
                    "status": "Abandoned" if abandoned else "Failed",
                    "errorDetails": {"code": "JobFailed", "message": failure},
                },
            )
            return failure
        self._take(execution_id, declaration, result)
        self._tell(
            execution_id, stage, name, {"status": "Succeeded", "output": dict(result.variables)}
        )
        return ""

    def _carry_out(
        self, execution_id: str, stage: str, declaration: Mapping[str, Any]
    ) -> ActionResult:
        kind = declaration["actionTypeId"]
        provider = self._providers.get((kind["category"], kind["provider"]))
        if provider is None:
            offered = ", ".join("/".join(each) for each in self._providers)
            message = (
                f"The embedded AWS runs no action {kind['category']}/{kind['provider']}; "
                f"it has {offered}"
            )
            raise ActionFailedError(message)
        execution = self._get(execution_id)
        name = declaration["name"]
        configuration = {
            key: resolve(value, execution["variables"])
            for key, value in declaration.get("configuration", {}).items()
        }
        self._tell(execution_id, stage, name, {"configuration": configuration})
        given = execution["revisions"].get(name, {}) if kind["category"] == "Source" else {}
        carried: Document = next(iter(execution["revisions"].values()), {})
        source = kind["category"] == "Source"
        return provider(
            ActionRun(
                pipeline=execution["pipeline"],
                execution_id=execution_id,
                declaration=declaration,
                configuration=configuration,
                inputs={
                    each["name"]: execution["artefacts"][each["name"]]
                    for each in declaration.get("inputArtifacts", [])
                },
                store=_store(execution["declaration"]),
                revision=(given if source else carried).get("id", ""),
                role=self._role(execution, declaration),
                tell=lambda fields: self._tell(execution_id, stage, name, fields),
                stopped=self._stops[execution_id],
            )
        )

    def _role(self, execution: Document, declaration: Mapping[str, Any]) -> dict[str, str]:
        session = execution["id"]
        pipeline = execution["declaration"]["roleArn"]
        own = self._host.role_environment(pipeline, PRINCIPAL, session)
        wanted = declaration.get("roleArn", pipeline)
        if wanted == pipeline:
            return own
        answer = client("sts", own).assume_role(RoleArn=wanted, RoleSessionName=session)
        keys = answer["Credentials"]
        return {
            **own,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def _take(
        self, execution_id: str, declaration: Mapping[str, Any], result: ActionResult
    ) -> None:
        """Keep an action's artefacts, variables and revision for the actions after it."""

        def change(execution: Document) -> None:
            execution["artefacts"].update(result.artefacts)
            if "namespace" in declaration:
                execution["variables"][declaration["namespace"]] = dict(result.variables)
            if result.revision:
                execution["revisions"][declaration["name"]] = dict(result.revision)

        self._executions.change(execution_id, change)

    def _tell(
        self, execution_id: str, stage: str, action: str, fields: Document, *, fresh: bool = False
    ) -> None:
        def change(execution: Document) -> None:
            if fresh:
                execution["actions"].append({"stage": stage, "action": action})
            latest = next(
                each
                for each in reversed(execution["actions"])
                if (each["stage"], each["action"]) == (stage, action)
            )
            latest.update(fields, lastStatusChange=time.time())

        self._executions.change(execution_id, change)

    def _stage_status(
        self, execution_id: str, stage: str, status: str, *, condition: str = ""
    ) -> None:
        def change(execution: Document) -> None:
            kept = execution["stages"].setdefault(stage, {"entered": time.time()})
            if status == "InProgress":
                kept["entered"] = time.time()
            kept["status"] = status
            if condition:
                kept["condition"] = condition

        self._executions.change(execution_id, change)

    def _succeeded(self, execution_id: str, stage: str) -> frozenset[str]:
        return succeeded_actions(self._get(execution_id), stage)

    def _change(self, execution_id: str, **fields: object) -> None:
        self._executions.change(execution_id, lambda kept: kept.update(fields, updated=time.time()))

    def _get(self, execution_id: str) -> Document:
        execution = self._executions.get(execution_id)
        if execution is None:
            message = f"There is no pipeline execution {execution_id}"
            raise LookupError(message)
        return execution


def _keep(execution_id: str, stage: str) -> None:
    """Leave a failed stage as it is."""
    LOG.info("execution %s failed in stage %s; nobody rolls it back", execution_id, stage)


def succeeded_actions(execution: Document, stage: str) -> frozenset[str]:
    """Name the actions of a stage whose latest run succeeded."""
    latest = {
        each["action"]: each["status"] for each in execution["actions"] if each["stage"] == stage
    }
    return frozenset(name for name, status in latest.items() if status == "Succeeded")


def _store(declaration: Mapping[str, Any]) -> Mapping[str, str]:
    stores = declaration.get("artifactStores") or {"": declaration["artifactStore"]}
    store: Mapping[str, str] = next(iter(stores.values()))
    return store
