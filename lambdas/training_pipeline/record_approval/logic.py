"""Decides what an answer, or none, makes of a candidate."""

from __future__ import annotations

from typing import Protocol

from lambdas.common.errors import DocumentedError
from lambdas.common.ledger import Ledger
from lambdas.common.model_packages import Packages
from lambdas.common.model_records import ModelRecord
from lambdas.common.model_states import ModelState, check_change
from lambdas.training_pipeline.approvals import Approvals
from lambdas.training_pipeline.contract import RecordApprovalRequest, RecordApprovalResponse

_EVENTS = {
    "approved": "model_approved",
    "rejected": "model_rejected",
    "expired": "approval_expired",
}


class UnknownVersionError(DocumentedError):
    """Version {version} was decided on, but it is not registered."""


class StateRaceError(DocumentedError):
    """The state of version {version} changed while its approval was recorded; try again."""


class Models(Protocol):
    """The model repository."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""

    def change_state(self, version: int, wanted: ModelState) -> bool:
        """Change a version's state where the table of states allows it; tell success."""


def record_approval(
    request: RecordApprovalRequest,
    models: Models,
    approvals: Approvals,
    packages: Packages,
    ledger: Ledger,
) -> RecordApprovalResponse:
    """Approve or reject a candidate; nobody's answer rejects it. Repeated, it changes nothing."""
    version, decision = request["version"], request["decision"]
    record = models.version(version)
    if record is None:
        raise UnknownVersionError(version=version)
    wanted: ModelState = "approved" if decision == "approved" else "rejected"
    if record["state"] != wanted:
        check_change(version, record["state"], wanted)
        if not models.change_state(version, wanted):
            raise StateRaceError(version=version)
    approvals.close(version, decision)
    ledger.append(
        {
            "event_type": _EVENTS[decision],
            "actor": request["approver"],
            "reason": request["reason"],
            "subject": f"v{version}",
            "evidence": {
                "model": record["model_id"],
                "artefact_sha256": record["artefact_sha256"],
                "requested_by": record.get("requested_by", ""),
                "execution": request["execution_arn"],
            },
            "token": f"approval:{request['execution_arn']}:{version}",
        }
    )
    packages.mirror(version)
    return {"version": version, "model_id": record["model_id"], "state": wanted}
