"""Decides what a person is asked, and until when an answer counts."""

from __future__ import annotations

from datetime import datetime, timedelta

from lambdas.common.clock import Clock
from lambdas.common.errors import DocumentedError
from lambdas.common.events import Events
from lambdas.common.ledger import Ledger
from lambdas.training_pipeline.approvals import Approval, Approvals
from lambdas.training_pipeline.contract import (
    APPROVAL_REQUESTED,
    AskApprovalRequest,
    AskApprovalResponse,
)

LEDGER_EVENT = "approval_requested"


class ApprovalTakenError(DocumentedError):
    """The approval of version {version} is waited for by {holder} already."""


def ask_approval(
    request: AskApprovalRequest,
    hours: int,
    approvals: Approvals,
    ledger: Ledger,
    events: Events,
    clock: Clock,
) -> AskApprovalResponse:
    """Remember the workflow's token; a repeated step replaces it by its new one."""
    now = clock()
    expires = datetime.fromisoformat(now) + timedelta(hours=hours)
    approval: Approval = {
        "version": request["version"],
        "model_id": request["model_id"],
        "state": "waiting",
        "token": request["task_token"],
        "execution_arn": request["execution_arn"],
        "requested_by": request["requested_by"],
        "asked_at": now,
        "expires_at": expires.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if not approvals.ask(approval):
        holder = approvals.get(request["version"])
        raise ApprovalTakenError(
            version=request["version"], holder=holder["execution_arn"] if holder else "nobody"
        )
    ledger.append(
        {
            "event_type": LEDGER_EVENT,
            "actor": request["execution_arn"],
            "reason": f"A person has until {approval['expires_at']} to decide.",
            "subject": f"v{request['version']}",
            "evidence": {"model": request["model_id"], "requested_by": request["requested_by"]},
            "token": f"{LEDGER_EVENT}:{request['execution_arn']}:{request['version']}",
        }
    )
    answer: AskApprovalResponse = {
        "version": request["version"],
        "expires_at": approval["expires_at"],
    }
    events.announce(APPROVAL_REQUESTED, answer)
    return answer
