"""The states of a model version, and which may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from lambdas.common.errors import DocumentedError

ModelState = Literal["candidate", "approved", "rejected", "deployed", "retired", "blocked"]

MAY_FOLLOW: Mapping[ModelState, tuple[ModelState, ...]] = MappingProxyType(
    {
        "candidate": (),
        "approved": ("candidate", "blocked"),
        "rejected": ("candidate",),
        "deployed": ("approved", "retired", "deployed"),
        "retired": ("deployed",),
        "blocked": ("candidate", "approved", "deployed", "retired"),
    }
)
"""By state: the states that a version may come from. A rejected version stays rejected."""

REGISTERED_AS: tuple[ModelState, ...] = ("candidate", "approved", "rejected")
"""The states in which a version may be born."""

DEPLOYABLE: tuple[ModelState, ...] = ("approved", "deployed", "retired")


class StateChangeError(DocumentedError):
    """Model version {version} is {state}; {wanted} may follow {allowed} only."""


def check_change(version: int, state: str, wanted: ModelState) -> None:
    """Refuse a change that is not in the table; raises ``StateChangeError``."""
    if state not in MAY_FOLLOW[wanted]:
        raise StateChangeError(
            version=version,
            state=state,
            wanted=wanted,
            allowed=" or ".join(MAY_FOLLOW[wanted]) or "nothing",
        )
