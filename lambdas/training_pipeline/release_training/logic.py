"""Decides what a failed run means for its training: the same inputs may be trained again."""

from __future__ import annotations

from collections.abc import Callable

from lambdas.common.claims import RELEASED, Claim, Claims
from lambdas.common.ledger import Ledger
from lambdas.common.step_errors import plain_reason
from lambdas.training_pipeline.contract import ReleaseTrainingRequest, ReleaseTrainingResponse

LEDGER_EVENT = "training_failed"


def release_training(
    request: ReleaseTrainingRequest,
    claims: Claims,
    ledger: Ledger,
    end: Callable[[str], object],
) -> ReleaseTrainingResponse:
    """Give the claim back, record why, and let the next training begin (``end``)."""
    reason = plain_reason(request["error"], request["cause"])
    released = _give_back(request, claims, reason)
    ledger.append(
        {
            "event_type": LEDGER_EVENT,
            "actor": request["execution_arn"],
            "reason": reason,
            "subject": request["training_id"],
            "evidence": {"training": request["training_id"], "error": request["error"]},
            "token": f"{LEDGER_EVENT}:{request['training_id']}:{request['execution_arn']}",
        }
    )
    end(request["execution_arn"])
    return {
        "training_id": request["training_id"],
        "outcome": "released" if released else "kept",
        "reason": reason,
    }


def _give_back(request: ReleaseTrainingRequest, claims: Claims, reason: str) -> bool:
    current = claims.get(request["training_id"])
    if current is None or current.execution_arn != request["execution_arn"]:
        return False
    if current.state == RELEASED:
        return True
    facts = {**current.facts, "failure": reason}
    ended = Claim(current.subject, RELEASED, current.execution_arn, facts)
    held = current.is_held_by(request["execution_arn"])
    return held and claims.put(ended, replacing=current)
