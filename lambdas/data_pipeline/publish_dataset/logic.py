"""Decides whether a run's dataset is published, and records it once."""

from __future__ import annotations

from typing import Protocol, TypedDict

from lambdas.common.claims import Claim, Claims
from lambdas.common.clock import Clock
from lambdas.common.errors import ClaimLostError, DocumentedError
from lambdas.common.events import Events
from lambdas.common.ledger import Ledger
from lambdas.data_pipeline.contract import (
    BATCH_PUBLISHED,
    DATASET_PUBLISHED,
    DatasetPublished,
    PublishDatasetRequest,
    PublishDatasetResponse,
)
from pipeline_code.data_pipeline.contract import RunReport

LEDGER_EVENT = "dataset_published"


class DatasetRejectedError(DocumentedError):
    """The batch broke its contract: {reason}."""


class ReportMismatchError(DocumentedError):
    """The report of run {run_id} is not of batch {batch_id}, but of {reported}."""


class DatasetRecord(TypedDict):
    """A published dataset version."""

    dataset_id: str
    manifest_uri: str
    rows: dict[str, int]
    published_at: str
    code_version: str
    batch_id: str
    run_id: str


class RunReports(Protocol):
    """What the runs say of themselves."""

    def read(self, run_id: str) -> RunReport:
        """Read a run's report."""

    def address(self, key: str) -> str:
        """Give the address of an object that a report names by key."""


class Catalogue(Protocol):
    """The dataset versions that exist, and the latest."""

    def publish(self, record: DatasetRecord, claim: Claim, *, replacing: Claim) -> bool:
        """Record a version, end the claim and make the version the latest; tell success.

        A version of files that have been superseded by newer ones does not become the latest.
        """

    def is_latest(self, dataset_id: str) -> bool:
        """Tell whether a version is the latest."""


def publish_dataset(
    request: PublishDatasetRequest,
    use_case: str,
    reports: RunReports,
    claims: Claims,
    catalogue: Catalogue,
    ledger: Ledger,
    events: Events,
    clock: Clock,
) -> PublishDatasetResponse:
    """Publish what the run made; a repeated call changes nothing."""
    report = reports.read(request["run_id"])
    _check(report, request)
    record = _record(report, reports, clock())
    _publish(record, request, claims, catalogue)
    ledger.append(
        {
            "event_type": LEDGER_EVENT,
            "actor": request["execution_arn"],
            "reason": f"Run {record['run_id']} of batch {record['batch_id']} passed its checks.",
            "subject": record["dataset_id"],
            "evidence": {
                "batch": record["batch_id"],
                "run": record["run_id"],
                "manifest": record["manifest_uri"],
                "dataset": record["dataset_id"],
            },
            "token": f"{LEDGER_EVENT}:{record['run_id']}",
        }
    )
    detail: DatasetPublished = {
        "use_case": use_case,
        "dataset_id": record["dataset_id"],
        "manifest_uri": record["manifest_uri"],
        "trainable": report["trainable"] and catalogue.is_latest(record["dataset_id"]),
    }
    events.announce(DATASET_PUBLISHED, detail)
    return {
        "dataset_id": record["dataset_id"],
        "manifest_uri": record["manifest_uri"],
        "rows": record["rows"],
    }


def _check(report: RunReport, request: PublishDatasetRequest) -> None:
    if report["batch_id"] != request["batch_id"]:
        raise ReportMismatchError(reported=report["batch_id"], **request)
    if report["status"] == "rejected":
        raise DatasetRejectedError(reason=report["reason"].rstrip("."))


def _record(report: RunReport, reports: RunReports, now: str) -> DatasetRecord:
    return {
        "dataset_id": report["dataset_id"],
        "manifest_uri": reports.address(report["manifest_key"]),
        "rows": dict(report["rows"]),
        "published_at": now,
        "code_version": "",
        "batch_id": report["batch_id"],
        "run_id": report["run_id"],
    }


def _publish(
    record: DatasetRecord, request: PublishDatasetRequest, claims: Claims, catalogue: Catalogue
) -> None:
    current = claims.get(request["batch_id"])
    if current is None or current.execution_arn != request["execution_arn"]:
        raise _lost(request, current)
    if current.state == BATCH_PUBLISHED:
        return
    record["code_version"] = str(current.facts["code_version"])
    facts = {
        **current.facts,
        "dataset_id": record["dataset_id"],
        "published_at": record["published_at"],
    }
    wanted = Claim(current.subject, BATCH_PUBLISHED, current.execution_arn, facts)
    if current.is_held_by(request["execution_arn"]) and catalogue.publish(
        record, wanted, replacing=current
    ):
        return
    stored = claims.get(request["batch_id"])
    if (
        stored is None
        or stored.state != BATCH_PUBLISHED
        or stored.execution_arn != wanted.execution_arn
    ):
        raise _lost(request, stored)


def _lost(request: PublishDatasetRequest, claim: Claim | None) -> ClaimLostError:
    state = f"{claim.state} by {claim.execution_arn}" if claim else "unclaimed"
    return ClaimLostError(subject=request["batch_id"], holder=request["execution_arn"], state=state)
