"""What may be decided: ``decision.yaml`` of a use case, with its actions, limits and costs."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from pipeline_code.yaml_node import PACKAGE, Node, UseCaseError, read_yaml

POLICY_FILE = "decision.yaml"


@dataclass(frozen=True)
class Action:
    """One thing that may be done: the share of a loss that it avoids, and what it costs."""

    name: str
    effect: float
    cost: float
    description: str


@dataclass(frozen=True)
class Limit:
    """How often some actions may be taken, for each value of some attributes of the entity."""

    name: str
    actions: tuple[str, ...]
    capacity: float
    per: tuple[str, ...]
    where: Mapping[str, tuple[str, ...]]
    """It counts entities whose attributes have one of these values; all, when empty."""
    description: str

    def key(self, action: str, attributes: Mapping[str, str]) -> str | None:
        """Name the limit that an action on an entity uses up; none when it is not counted."""
        if action not in self.actions:
            return None
        if any(attributes[name] not in allowed for name, allowed in self.where.items()):
            return None
        return "/".join((self.name, *(attributes[name] for name in self.per)))


@dataclass(frozen=True)
class Policy:
    """All that is declared; ``document`` is the whole file, which the decision's digest covers."""

    version: int
    currency: str
    time_limit_seconds: float
    actions: Mapping[str, Action]
    limits: tuple[Limit, ...]
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Candidate:
    """An entity that something may be done about, as the use case sees it."""

    probability: float
    loss: float
    """What is expected to be lost when nothing is done."""
    attributes: Mapping[str, str]
    """What limits count it by."""
    actions: Sequence[str] = field(default_factory=tuple)
    """What may be done about it."""


class DecisionCode(Protocol):
    """The module ``decision`` of a use case."""

    def candidates(
        self,
        instances: Sequence[Mapping[str, Any]],
        probabilities: Sequence[float | None],
        policy: Policy,
    ) -> list[Candidate]:
        """Say what is at stake with each; one without a probability is yet to be predicted.

        Raises ``ValueError`` for an instance that lacks what the decision needs.
        """
        ...


def load_policy(use_case: str) -> Policy:
    """Read and check ``use_cases/<name>/decision.yaml``."""
    return read_policy(read_yaml(use_case, POLICY_FILE))


def load_decision_code(use_case: str) -> DecisionCode:
    """Import the use case's part."""
    return cast("DecisionCode", importlib.import_module(f"{PACKAGE}.{use_case}.decision"))


def read_policy(node: Node) -> Policy:
    """Check a policy and make it typed."""
    actions = {name: _action(name, child) for name, child in node.child("actions").items()}
    limits = tuple(_limit(name, child, actions) for name, child in node.child("limits").items())
    return Policy(
        version=node.integer("version"),
        currency=node.text("currency"),
        time_limit_seconds=_amount(node, "time_limit_seconds"),
        actions=actions,
        limits=limits,
        document=node.plain(),
    )


def _action(name: str, node: Node) -> Action:
    node.only(("effect", "cost", "description"))
    return Action(name, node.share("effect"), _amount(node, "cost"), node.text("description"))


def _limit(name: str, node: Node, actions: Mapping[str, Action]) -> Limit:
    node.only(("actions", "capacity", "per", "where", "description"))
    counted = node.texts("actions")
    unknown = [each for each in counted if each not in actions]
    if unknown or not counted:
        raise UseCaseError(f"{node.where}: actions is {list(counted)}, known are {list(actions)}")
    where = node.child("where") if node.has("where") else None
    names = [key for key, _ in where.plain().items()] if where else []
    return Limit(
        name=name,
        actions=counted,
        capacity=_amount(node, "capacity"),
        per=node.texts("per"),
        where={key: where.texts(key) for key in names} if where else {},
        description=node.text("description"),
    )


def _amount(node: Node, key: str) -> float:
    value = node.plain().get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not _is_amount(value):
        raise UseCaseError(f"{node.where}: {key} is {value!r}, must be a number of 0 or more")
    return float(value)


def _is_amount(value: float) -> bool:
    return math.isfinite(value) and value >= 0
