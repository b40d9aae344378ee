"""Decides what a failed run means for its batch: broken data is rejected, a broken run is not."""

from __future__ import annotations

from typing import Literal, Protocol

from lambdas.common.claims import RELEASED, Claim, Claims
from lambdas.common.events import Events
from lambdas.common.ledger import Ledger
from lambdas.common.step_errors import plain_reason
from lambdas.data_pipeline.contract import (
    BATCH_REJECTED,
    DATASET_REJECTED,
    DatasetRejected,
    RejectBatchRequest,
    RejectBatchResponse,
)

DATA_FAULT = "DatasetRejectedError"
"""The error by which ``publish_dataset`` says that the batch broke its contract."""
LEDGER_REJECTED = "dataset_rejected"
LEDGER_FAILED = "data_run_failed"


class RunReports(Protocol):
    """What the runs say of themselves."""

    def rejection(self, run_id: str) -> str | None:
        """Give the reason for which a run rejected its batch, if it did."""


def reject_batch(
    request: RejectBatchRequest,
    use_case: str,
    reports: RunReports,
    claims: Claims,
    ledger: Ledger,
    events: Events,
) -> RejectBatchResponse:
    """Give the claim back, record why, and announce it."""
    rejection = reports.rejection(request["run_id"])
    is_data_fault = rejection is not None or request["error"] == DATA_FAULT
    reason = rejection or plain_reason(request["error"], request["cause"])
    state = BATCH_REJECTED if is_data_fault else RELEASED
    given_back = _give_back(request, claims, state, reason)
    event_type = LEDGER_REJECTED if is_data_fault else LEDGER_FAILED
    ledger.append(
        {
            "event_type": event_type,
            "actor": request["execution_arn"],
            "reason": reason,
            "subject": request["batch_id"],
            "evidence": {"batch": request["batch_id"], "run": request["run_id"]},
            "token": f"{event_type}:{request['run_id']}",
        }
    )
    if not given_back:
        return {"batch_id": request["batch_id"], "outcome": "kept", "reason": reason}
    detail: DatasetRejected = {
        "use_case": use_case,
        "batch_id": request["batch_id"],
        "run_id": request["run_id"],
        "reason": reason,
    }
    events.announce(DATASET_REJECTED, detail)
    outcome: Literal["rejected", "released"] = "rejected" if is_data_fault else "released"
    return {"batch_id": request["batch_id"], "outcome": outcome, "reason": reason}


def _give_back(request: RejectBatchRequest, claims: Claims, state: str, reason: str) -> bool:
    current = claims.get(request["batch_id"])
    if current is None or current.execution_arn != request["execution_arn"]:
        return False
    if current.state == state:
        return True
    facts = {**current.facts, "reason": reason}
    ended = Claim(current.subject, state, current.execution_arn, facts)
    held = current.is_held_by(request["execution_arn"])
    return held and claims.put(ended, replacing=current)
