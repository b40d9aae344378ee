"""Who works on what: one conditional item a subject, so that each is done by one execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

CLAIMED = "claimed"
RELEASED = "released"


@dataclass(frozen=True)
class Claim:
    """A subject's claim: its state, the execution that holds or held it, and what it recorded."""

    subject: str
    state: str
    execution_arn: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def is_held_by(self, execution_arn: str) -> bool:
        """Tell whether this execution works on the subject right now."""
        return self.state == CLAIMED and self.execution_arn == execution_arn


class Claims(Protocol):
    """The claims of one kind of subject."""

    def get(self, subject: str) -> Claim | None:
        """Read a claim, consistently."""

    def put(self, claim: Claim, *, replacing: Claim | None) -> bool:
        """Write a claim where the stored one is still the given one (or none); tell success."""


class Executions(Protocol):
    """The executions of the state machines."""

    def is_running(self, execution_arn: str) -> bool:
        """Tell whether an execution is still under way."""


def take(
    claims: Claims, executions: Executions, wanted: Claim, current: Claim | None
) -> Claim | None:
    """Claim a subject that is free, or whose holder is dead; give the live holder's claim if not.

    Callers have decided beforehand that a claim in any other state than ``claimed`` is free.
    """
    if current is not None and _is_live(current, wanted.execution_arn, executions):
        return current
    if claims.put(wanted, replacing=current):
        return None
    stored = claims.get(wanted.subject)
    return None if stored and stored.is_held_by(wanted.execution_arn) else stored


def _is_live(claim: Claim, execution_arn: str, executions: Executions) -> bool:
    if claim.state != CLAIMED or claim.execution_arn == execution_arn:
        return False
    return executions.is_running(claim.execution_arn)
