"""Decides whether what landed is a batch to run, and who runs it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from lambdas.common.claims import CLAIMED, Claim, Claims, Executions, take
from lambdas.common.digests import short_digest
from lambdas.data_pipeline.contract import (
    BATCH_PUBLISHED,
    BATCH_REJECTED,
    CollectBatchRequest,
    CollectBatchResponse,
)
from pipeline_code.data_pipeline.contract import Batch, BatchObject


class RawLake(Protocol):
    """Where source files land."""

    def landed(self, sources: Collection[str]) -> Sequence[BatchObject]:
        """List the current version of every file of these sources."""

    def write_batch(self, batch: Batch) -> str:
        """Write the list of a batch's objects; give its address."""


@dataclass(frozen=True)
class SourceRules:
    """Which sources a run waits for, which it takes along, and the code that reads them.

    ``settle_seconds`` is how long nothing must have arrived: files come one by one, and each
    arrival starts an execution, which first waits that long. Only the last one finds quiet.
    """

    required: Sequence[str]
    optional: Sequence[str]
    code_version: str
    settle_seconds: int = 0


def collect_batch(
    request: CollectBatchRequest,
    rules: SourceRules,
    lake: RawLake,
    claims: Claims,
    executions: Executions,
    now: str,
) -> CollectBatchResponse:
    """Claim the batch of all that landed, unless it waits, is taken or is done."""
    objects = lake.landed([*rules.required, *rules.optional])
    waiting_for = sorted(set(rules.required) - {entry["source"] for entry in objects})
    if waiting_for:
        detail = f"No file yet under landing/ for: {', '.join(waiting_for)}."
        return _ended("waiting", detail, waiting_for=waiting_for)
    if still_arriving(objects, now, rules.settle_seconds) and not request.get("force", False):
        detail = (
            f"Files arrived less than {rules.settle_seconds} s ago; the last one starts the run."
        )
        return _ended("waiting", detail)
    batch: Batch = {"batch_id": batch_id_of(objects), "objects": sort_objects(objects)}
    current = claims.get(batch["batch_id"])
    done = _why_done(current, rules.code_version, force=request.get("force", False))
    if done:
        return _ended("unchanged", done, batch_id=batch["batch_id"])
    wanted = _claim(batch["batch_id"], request["execution_arn"], rules.code_version)
    holder = take(claims, executions, wanted, current)
    if holder:
        detail = f"The execution {holder.execution_arn} works on this batch."
        return _ended("taken", detail, batch_id=batch["batch_id"])
    return {
        "status": "ready",
        "waiting_for": [],
        "batch_id": batch["batch_id"],
        "run_id": str(wanted.facts["run_id"]),
        "batch_uri": lake.write_batch(batch),
        "detail": f"{len(objects)} files of {len({o['source'] for o in objects})} sources.",
    }


def still_arriving(objects: Sequence[BatchObject], now: str, settle_seconds: int) -> bool:
    """Tell whether the newest file is younger than the time in which nothing may arrive."""
    newest = max(datetime.fromisoformat(entry["arrived_at"]) for entry in objects)
    return datetime.fromisoformat(now) - newest < timedelta(seconds=settle_seconds)


def batch_id_of(objects: Sequence[BatchObject]) -> str:
    """Name a batch by what is in it: keys and content, whatever the order or the version ids."""
    content = sorted((entry["source"], entry["key"], entry["etag"]) for entry in objects)
    return f"b-{short_digest(content)}"


def sort_objects(objects: Sequence[BatchObject]) -> list[BatchObject]:
    """Put a batch's objects into their one order."""
    return sorted(objects, key=lambda entry: (entry["source"], entry["key"]))


def run_id_of(batch_id: str, execution_arn: str) -> str:
    """Name an execution's run of a batch; a repeated step of it has the same."""
    return f"r-{short_digest([batch_id, execution_arn])}"


def _claim(batch_id: str, execution_arn: str, code_version: str) -> Claim:
    facts = {"run_id": run_id_of(batch_id, execution_arn), "code_version": code_version}
    return Claim(batch_id, CLAIMED, execution_arn, facts)


def _why_done(claim: Claim | None, code_version: str, *, force: bool) -> str:
    if claim is None or force or claim.facts.get("code_version") != code_version:
        return ""
    if claim.state == BATCH_PUBLISHED:
        return f"This batch was published as {claim.facts.get('dataset_id')}."
    if claim.state == BATCH_REJECTED:
        return f"This batch was rejected: {claim.facts.get('reason')} Force a run to try it again."
    return ""


def _ended(
    status: str, detail: str, *, batch_id: str = "", waiting_for: Sequence[str] = ()
) -> CollectBatchResponse:
    return {
        "status": status,  # type: ignore[typeddict-item]  # callers pass the literals
        "waiting_for": list(waiting_for),
        "batch_id": batch_id,
        "run_id": "",
        "batch_uri": "",
        "detail": detail,
    }
