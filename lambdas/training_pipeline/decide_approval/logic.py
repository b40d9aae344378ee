"""Decides whether somebody may decide, and on what exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from lambdas.common.clock import Clock
from lambdas.common.errors import DocumentedError
from lambdas.common.ledger import Ledger
from lambdas.common.model_packages import Packages
from lambdas.common.model_records import ModelRecord
from lambdas.common.model_states import ModelState
from lambdas.common.principals import principal_of
from lambdas.training_pipeline.approvals import Approval, Approvals
from lambdas.training_pipeline.contract import ApprovalDecision

DECISIONS = ("approved", "rejected")
MAX_REASON_LENGTH = 1000


class BadDecisionError(DocumentedError):
    """{field} is {value!r}, but must be {allowed}."""


class NothingToDecideError(DocumentedError):
    """Version {version} does not wait for a decision: {state}."""


class NobodyError(DocumentedError):
    """API Gateway does not say who decides on version {version}; sign as an IAM user or role."""


class SamePersonError(DocumentedError):
    """{approver} asked for the training of version {version}: somebody else has to approve it."""


class WaitingIsOverError(DocumentedError):
    """The workflow that asked for version {version} does not wait any more."""


class Answer(NamedTuple):
    """What somebody decided: on which version and model, and why."""

    version: int
    model_id: str
    decision: Literal["approved", "rejected"]
    reason: str
    approver: str


class Models(Protocol):
    """The model repository."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""

    def change_state(self, version: int, wanted: ModelState) -> bool:
        """Change a version's state where the table of states allows it; tell success."""


class Workflows(Protocol):
    """The workflows that wait."""

    def tell(self, token: str, decision: ApprovalDecision) -> bool:
        """Hand a decision to whoever waits for this token; tell whether somebody did."""


@dataclass(frozen=True)
class Desk:
    """All that a decision reads and writes."""

    models: Models
    approvals: Approvals
    workflows: Workflows
    packages: Packages
    ledger: Ledger
    clock: Clock


def read_answer(version: str, body: Any, approver: str) -> Answer:
    """Check a request; raises ``BadDecisionError``, which names the field."""
    if not approver:
        raise NobodyError(version=version)
    if not version.isdecimal():
        raise BadDecisionError(field="version", value=version, allowed="a version's number")
    if not isinstance(body, Mapping):
        raise BadDecisionError(field="body", value=body, allowed="a JSON object")
    reason = _reason(body.get("reason"))
    decision = body.get("decision")
    if decision not in DECISIONS:
        raise BadDecisionError(field="decision", value=decision, allowed=" or ".join(DECISIONS))
    model_id = body.get("model_id")
    if not isinstance(model_id, str):
        raise BadDecisionError(field="model_id", value=model_id, allowed="the model's id")
    return Answer(int(version), model_id, decision, reason, approver)


def _reason(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= MAX_REASON_LENGTH:
        allowed = f"a text of 1 to {MAX_REASON_LENGTH} characters"
        raise BadDecisionError(field="reason", value=value, allowed=allowed)
    return value.strip()


def decide(answer: Answer, desk: Desk) -> ApprovalDecision:
    """Take a decision once; the same again by the same person is taken as a repetition."""
    record = desk.models.version(answer.version)
    if record is None or record["model_id"] != answer.model_id:
        state = f"it is not the model {answer.model_id}" if record else "there is no such version"
        raise NothingToDecideError(version=answer.version, state=state)
    _check_duties(answer, record, desk)
    if record["state"] == "blocked":
        return _release(answer, record, desk)
    approval = _waiting(answer, record, desk)
    decision = _decision(answer)
    repeated = _is_repetition(answer, approval)
    taken = desk.approvals.decide(approval, answer.decision, answer.approver, answer.reason)
    if not taken and not repeated:
        raise NothingToDecideError(version=answer.version, state="it was decided meanwhile")
    if not desk.workflows.tell(approval["token"], decision) and not repeated:
        desk.approvals.close(answer.version, "expired")
        raise WaitingIsOverError(version=answer.version)
    return decision


def _check_duties(answer: Answer, record: ModelRecord, desk: Desk) -> None:
    """Refuse, and record, an approval by whoever asked for the training."""
    requester = record.get("requested_by", "")
    if answer.decision != "approved" or principal_of(requester) != principal_of(answer.approver):
        return
    error = SamePersonError(approver=answer.approver, version=answer.version)
    desk.ledger.append(_entry("approval_refused", answer, record, str(error), desk.clock()))
    raise error


def _waiting(answer: Answer, record: ModelRecord, desk: Desk) -> Approval:
    approval = desk.approvals.get(answer.version)
    if approval is None or approval["execution_arn"] != record.get("execution_arn"):
        raise NothingToDecideError(version=answer.version, state=f"it is {record['state']}")
    if _is_repetition(answer, approval):
        return approval
    if approval["state"] != "waiting":
        raise NothingToDecideError(version=answer.version, state=f"it is {approval['state']}")
    if approval["expires_at"] <= desk.clock():
        raise WaitingIsOverError(version=answer.version)
    return approval


def _is_repetition(answer: Answer, approval: Approval) -> bool:
    return (approval["state"], approval.get("approver")) == (answer.decision, answer.approver)


def _release(answer: Answer, record: ModelRecord, desk: Desk) -> ApprovalDecision:
    """Let a blocked version be deployed again; its seal is verified then as ever."""
    if answer.decision != "approved":
        raise NothingToDecideError(version=answer.version, state="it is blocked")
    if not desk.models.change_state(answer.version, "approved"):
        raise NothingToDecideError(version=answer.version, state="its state changed meanwhile")
    desk.ledger.append(_entry("model_released", answer, record, answer.reason, desk.clock()))
    desk.packages.mirror(answer.version)
    return _decision(answer)


def _decision(answer: Answer) -> ApprovalDecision:
    return {
        "decision": answer.decision,
        "approver": answer.approver,
        "reason": answer.reason,
    }


def _entry(event_type: str, answer: Answer, record: ModelRecord, reason: str, now: str) -> Any:
    return {
        "event_type": event_type,
        "actor": answer.approver,
        "reason": reason,
        "subject": f"v{answer.version}",
        "evidence": {"model": record["model_id"], "requested_by": record.get("requested_by", "")},
        "token": f"{event_type}:{answer.version}:{answer.approver}:{now}",
    }
