"""`fourblocks approve` and `reject`: a person's decision on a version, signed by that person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.api import call, problem_text
from cli.errors import RefusedError
from cli.models import registered
from cli.screen import console

if TYPE_CHECKING:
    from cli.target import Target

BLOCK = "TrainingPipeline"
OK = 200


def decide(target: Target, version: int, *, decision: str, reason: str) -> None:
    """Send a decision on the very model that the version's record names.

    Raises:
        RefusedError: the platform did not take the decision; it says why.

    """
    document = {
        "decision": decision,
        "reason": reason,
        "model_id": registered(target, version)["model_id"],
    }
    answer = call(target, "POST", f"/approvals/{version}", document, block=BLOCK)
    if answer.status != OK:
        raise RefusedError(problem_text(answer))
    console.print(f"  version {version}: {decision} by {answer.body['approver']}", markup=False)
