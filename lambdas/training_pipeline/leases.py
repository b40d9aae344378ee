"""One training a use case at a time; who comes meanwhile is remembered once, and comes after."""

from __future__ import annotations

from typing import Protocol, TypedDict

from lambdas.common.claims import CLAIMED, RELEASED, Claim, Claims, Executions, take
from lambdas.common.events import Events
from lambdas.training_pipeline.contract import TRAINING_DUE, EndTrainingResponse

LEASE = "LEASE"
"""The claim, among those on trainings, of whoever trains now."""


class Wish(TypedDict):
    """A training that was asked for while another one ran; later wishes replace earlier ones."""

    dataset_id: str
    requested_by: str
    reason: str


class Wishes(Protocol):
    """What was asked for meanwhile."""

    def remember(self, wish: Wish) -> None:
        """Keep a wish, instead of any other."""

    def remembered(self) -> Wish | None:
        """Give the wish that was kept last."""

    def forget(self, wish: Wish) -> None:
        """Drop a wish, unless another one took its place."""


def take_lease(
    claims: Claims, executions: Executions, wishes: Wishes, execution_arn: str, wish: Wish
) -> Claim | None:
    """Take the right to train; give the holder's claim when the wish has to wait.

    The wish is kept before the second look: the holder looks for wishes after it has let go, so
    that one of the two always sees the other.
    """
    wanted = Claim(LEASE, CLAIMED, execution_arn)
    if take(claims, executions, wanted, claims.get(LEASE)) is None:
        return None
    wishes.remember(wish)
    holder = take(claims, executions, wanted, claims.get(LEASE))
    if holder is None:
        wishes.forget(wish)
    return holder


def end_lease(
    claims: Claims, wishes: Wishes, events: Events, use_case: str, execution_arn: str
) -> EndTrainingResponse:
    """Let go, and ask for the training that waited; repeated, it asks for nothing twice."""
    current = claims.get(LEASE)
    if current is not None and current.is_held_by(execution_arn):
        claims.put(Claim(LEASE, RELEASED, execution_arn), replacing=current)
    wish = wishes.remembered()
    if wish is None:
        return {"asked_for": ""}
    events.announce(TRAINING_DUE, {"use_case": use_case, **wish})
    wishes.forget(wish)
    return {"asked_for": wish["reason"]}
