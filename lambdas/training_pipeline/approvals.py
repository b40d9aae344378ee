"""An approval that a person is asked for: one a version, decided once."""

from __future__ import annotations

from typing import NotRequired, Protocol, TypedDict

from lambdas.training_pipeline.contract import ApprovalState


class Approval(TypedDict):
    """What is waited for, by whom, until when, and what became of it."""

    version: int
    model_id: str
    state: ApprovalState
    token: str
    execution_arn: str
    requested_by: str
    asked_at: str
    expires_at: str
    approver: NotRequired[str]
    reason: NotRequired[str]


class Approvals(Protocol):
    """The approvals of a use case's versions."""

    def get(self, version: int) -> Approval | None:
        """Read a version's approval."""

    def ask(self, approval: Approval) -> bool:
        """Write an approval, unless another execution waits for one; tell success."""

    def decide(self, approval: Approval, state: ApprovalState, approver: str, reason: str) -> bool:
        """Decide an approval that still waits with this very token; tell success."""

    def close(self, version: int, state: ApprovalState) -> None:
        """Say what the workflow made of it."""
