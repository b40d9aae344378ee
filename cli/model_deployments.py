"""`fourblocks deploy-model`, `rollback` and `deployments`: what serves, since when, and why."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key
from rich.table import Table

from cli.datasets import use_case
from cli.errors import NotThereError, RefusedError
from cli.executions import SUCCEEDED, read_execution
from cli.models import query, registered
from cli.overview import serving_model
from cli.screen import console, watching

if TYPE_CHECKING:
    from cli.target import Target

PREVIOUS = "previous"
POLL_SECONDS = 1.0
SERVES = "model_deployed"
TOLD = (
    SERVES,
    "model_rolled_back",
    "deployment_rolled_back",
    "deployment_failed",
    "deployment_undone",
    "artefact_refused",
)
"""What the ledger says of deployments."""


def deploy_model(
    target: Target, version: int, *, reason: str, bake_seconds: int | None = None
) -> None:
    """Deploy a version and follow it to its end: serving, or rolled back.

    Raises:
        RefusedError: it was not deployed; the message says why.

    """
    registered(target, version)
    baking = {} if bake_seconds is None else {"bake_seconds": bake_seconds}
    _run(target, {"action": "deploy", "version": version, "reason": reason, **baking})
    console.print(f"  version {version} serves", markup=False)


def roll_back(target: Target, to: str, *, reason: str) -> None:
    """Go back to a version that served before; what it replaces is blocked.

    Raises:
        RefusedError: the way back failed, or ``to`` is no version.

    """
    serving = serving_model(target)
    if serving is None:
        message = f"Nothing serves yet. Run: {target.command('train')}"
        raise NotThereError(message)
    if to != PREVIOUS and not to.isdecimal():
        message = f"--to is {to!r}, but must be a version's number or `{PREVIOUS}`."
        raise RefusedError(message)
    wanted = to if to == PREVIOUS else int(to)
    _run(target, {"action": "rollback", "to": wanted, "reason": reason})
    now = serving_model(target) or {}
    console.print(f"  version {now.get('version')} serves", markup=False)
    if now.get("version") != serving["version"]:
        console.print(f"  version {serving['version']} is blocked: {reason}", markup=False)


def show_deployments(target: Target, at: datetime | None) -> None:
    """List what was deployed, or say what served at a moment."""
    entries = deployments(target)
    if at is None:
        console.print(_table(entries))
        return
    served = serving_at(entries, at)
    if served is None:
        message = f"Nothing served at {at.isoformat()}."
        raise NotThereError(message)
    console.print(f"At {at.isoformat()} {_sentence(served)}", markup=False)


def deployments(target: Target) -> list[dict[str, Any]]:
    """Read what the ledger says of deployments, oldest first."""
    table = target.session.resource("dynamodb", region_name=target.region).Table(
        target.output("Foundation", "LedgerTableName")
    )
    found = query(table, Key("chain").eq(use_case(target)))
    return [entry for entry in found if entry["event_type"] in TOLD]


def serving_at(entries: list[dict[str, Any]], at: datetime) -> dict[str, Any] | None:
    """Find the deployment that served at a moment."""
    before = [entry for entry in entries if entry["event_type"] == SERVES and _time(entry) <= at]
    return before[-1] if before else None


def moment(text: str) -> datetime:
    """Read a moment; one without a zone is UTC.

    Raises:
        RefusedError: it is none.

    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"--at is {text!r}, but must be a moment such as 2026-01-31T12:00."
        raise RefusedError(message) from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _run(target: Target, wish: dict[str, Any]) -> None:
    """Start the deployment workflow and follow it; the failure says why."""
    sfn = target.client("stepfunctions")
    caller = target.client("sts").get_caller_identity()["Arn"]
    started = sfn.start_execution(
        stateMachineArn=target.output("Inference", "DeploymentWorkflowArn"),
        input=json.dumps({**wish, "requested_by": caller}),
    )["executionArn"]
    with watching() as watch:
        while True:
            execution = read_execution(sfn, started)
            watch.show(execution.rows)
            if not execution.is_running:
                break
            time.sleep(POLL_SECONDS)
    if execution.status != SUCCEEDED:
        told = [entry for entry in deployments(target) if _execution(entry) == started]
        why = told[-1]["reason"] if told else execution.failure()
        message = f"It was not deployed: {why}"
        raise RefusedError(message)


def _execution(entry: dict[str, Any]) -> str:
    return str(entry["evidence"].get("execution", ""))


def _table(entries: list[dict[str, Any]]) -> Table:
    table = Table("at", "version", "what", "by", "why", box=None)
    for entry in entries:
        what = entry["event_type"].replace("_", " ")
        who, why = entry["actor"].rpartition("/")[2], entry["reason"]
        table.add_row(entry["at"][:19], entry["subject"], what, who, why)
    return table


def _sentence(entry: dict[str, Any]) -> str:
    evidence = entry["evidence"]
    return (
        f"version {entry['subject'].removeprefix('v')} served, since {entry['at'][:19]}: "
        f"{entry['reason']} ({entry['actor']}); model {evidence['model']}, "
        f"it replaced {evidence['replaced']}."
    )


def _time(entry: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["at"])
