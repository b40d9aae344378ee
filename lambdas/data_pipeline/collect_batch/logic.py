"""Decides whether what landed is a batch to run, and who runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypedDict

from lambdas.common.claims import CLAIMED, Claim, Claims, Executions, take
from lambdas.common.digests import short_digest
from lambdas.data_pipeline.collect_batch.completeness import Selection, SourceRules, select
from lambdas.data_pipeline.contract import (
    BATCH_PUBLISHED,
    BATCH_REJECTED,
    CollectBatchRequest,
    CollectBatchResponse,
    Unrecognised,
    WaitingFor,
)
from pipeline_code.data_pipeline.contract import Batch, BatchObject

SHOWN = 20
"""At most so many unrecognised files, and missing periods, are listed; the rest are counted."""


@dataclass(frozen=True)
class Landing:
    """The current version of every landed file; ``as_of`` grows with each arrival and removal."""

    objects: Sequence[BatchObject]
    as_of: str


class Arrival(TypedDict):
    """What is known of the landed files as a whole; it follows from them alone."""

    as_of: str
    batch_id: str
    files: int
    periods: list[str]
    waiting_for: list[WaitingFor]
    unrecognised: list[Unrecognised]


class RawLake(Protocol):
    """Where source files land."""

    def landed(self) -> Landing:
        """List the current version of every file that landed."""

    def write_batch(self, batch: Batch) -> str:
        """Write the list of a batch's objects; give its address."""


class Arrivals(Protocol):
    """What people and later steps read of arrival, and which dataset is the latest."""

    def record(self, arrival: Arrival) -> None:
        """Keep what landed, unless something newer is kept already."""

    def latest_dataset(self) -> str | None:
        """Give the id of the latest dataset version."""


def collect_batch(
    request: CollectBatchRequest,
    rules: SourceRules,
    lake: RawLake,
    arrivals: Arrivals,
    claims: Claims,
    executions: Executions,
    now: str,
) -> CollectBatchResponse:
    """Claim the batch of what is complete, unless it waits, is taken or is done."""
    landing = lake.landed()
    selection = select(landing.objects, rules)
    batch_id = batch_id_of(selection.objects) if selection.is_complete else ""
    arrivals.record(_arrival(landing, selection, batch_id))
    if not selection.is_complete:
        return _ended("waiting", _what_is_missing(selection), selection)
    force = request.get("force", False)
    if still_arriving(landing.objects, now, rules.settle_seconds) and not force:
        detail = (
            f"Files arrived less than {rules.settle_seconds} s ago; the last one starts the run."
        )
        return _ended("waiting", detail, selection)
    current = claims.get(batch_id)
    done = _why_done(current, rules.code_version, arrivals.latest_dataset(), force=force)
    if done:
        return _ended("unchanged", done, selection, batch_id)
    wanted = _claim(batch_id, request["execution_arn"], rules.code_version, landing.as_of)
    holder = take(claims, executions, wanted, current)
    if holder:
        detail = f"The execution {holder.execution_arn} works on this batch."
        return _ended("taken", detail, selection, batch_id)
    batch: Batch = {"batch_id": batch_id, "objects": sort_objects(selection.objects)}
    return {
        **_ended("ready", _what_is_there(selection), selection, batch_id),
        "run_id": str(wanted.facts["run_id"]),
        "batch_uri": lake.write_batch(batch),
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


def _claim(batch_id: str, execution_arn: str, code_version: str, as_of: str) -> Claim:
    facts = {
        "run_id": run_id_of(batch_id, execution_arn),
        "code_version": code_version,
        "as_of": as_of,
    }
    return Claim(batch_id, CLAIMED, execution_arn, facts)


def _why_done(claim: Claim | None, code_version: str, latest: str | None, *, force: bool) -> str:
    if claim is None or force or claim.facts.get("code_version") != code_version:
        return ""
    if claim.state == BATCH_PUBLISHED and claim.facts.get("dataset_id") == latest:
        return f"This batch was published as {latest}."
    if claim.state == BATCH_REJECTED:
        return f"This batch was rejected: {claim.facts.get('reason')} Force a run to try it again."
    return ""


def _arrival(landing: Landing, selection: Selection, batch_id: str) -> Arrival:
    return {
        "as_of": landing.as_of,
        "batch_id": batch_id,
        "files": len(landing.objects),
        "periods": list(selection.periods),
        "waiting_for": list(selection.waiting_for[:SHOWN]),
        "unrecognised": list(selection.unrecognised[:SHOWN]),
    }


def _what_is_missing(selection: Selection) -> str:
    names = [_name_of(entry) for entry in selection.waiting_for]
    if not names:
        return "No file yet under landing/ whose name says which months it covers."
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"No file yet under landing/ for: {', '.join(names[:SHOWN])}{more}."


def _name_of(entry: WaitingFor) -> str:
    return f"{entry['source']} {entry['period']}".strip()


def _what_is_there(selection: Selection) -> str:
    sources = {entry["source"] for entry in selection.objects}
    months = f", {'..'.join(dict.fromkeys(selection.periods))}" if selection.periods else ""
    return f"{len(selection.objects)} files of {len(sources)} sources{months}."


def _ended(
    status: str, detail: str, selection: Selection, batch_id: str = ""
) -> CollectBatchResponse:
    count = len(selection.unrecognised)
    noted = f" {count} landed files are not recognised." if count else ""
    return {
        "status": status,  # type: ignore[typeddict-item]  # callers pass the literals
        "waiting_for": list(selection.waiting_for[:SHOWN]),
        "unrecognised": list(selection.unrecognised[:SHOWN]),
        "periods": list(selection.periods),
        "batch_id": batch_id,
        "run_id": "",
        "batch_uri": "",
        "detail": f"{detail}{noted}",
    }
