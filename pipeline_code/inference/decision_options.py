"""What may be done about whom: every action worth its cost, with the limits that it uses up."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from pipeline_code.inference.decision_policy import Candidate, Policy
from pipeline_code.inference.decision_request import BadDecisionRequestError, Item


class Option(NamedTuple):
    """One action on one entity; ``uses`` are keys of limits, one of each is used up."""

    entity: int
    action: str
    saving: float
    cost: float
    uses: tuple[str, ...]

    @property
    def net(self) -> float:
        """What it is worth: the loss that it avoids less its cost."""
        return self.saving - self.cost


@dataclass(frozen=True)
class Problem:
    """Entities, those of now first, their options, and what is left of each limit."""

    items: Sequence[Item]
    candidates: Sequence[Candidate]
    now: int
    options: Sequence[Option]
    remaining: Mapping[str, float]

    def fixed(self, option: Option) -> bool:
        """Tell whether it is taken in any case."""
        return self.items[option.entity].get("action") == option.action


def build_problem(
    items: Sequence[Item],
    now: int,
    candidates: Sequence[Candidate],
    remaining: Mapping[str, float],
    policy: Policy,
) -> Problem:
    """Lay the problem out; actions that cost more than they avoid are no options."""
    options: list[Option] = []
    for index, (item, candidate) in enumerate(zip(items, candidates, strict=True)):
        wanted = item.get("action")
        if wanted is not None and wanted not in candidate.actions:
            raise _impossible(index, wanted, candidate)
        for name in candidate.actions:
            option = _option(index, name, candidate, policy)
            if wanted == name or (wanted is None and option.net > 0):
                options.append(option)
    keys = dict.fromkeys(key for option in options for key in option.uses)
    left = {key: _left(key, remaining, policy) for key in sorted(keys)}
    return Problem(items, candidates, now, options, left)


def impossible_limits(problem: Problem) -> list[str]:
    """Say which limits cannot hold: more is taken in any case than is left."""
    fixed = (option.uses for option in problem.options if problem.fixed(option))
    taken = Counter(chain.from_iterable(fixed))
    return [
        f"{key}: {taken[key]} are taken in any case, {left:g} are left"
        for key, left in problem.remaining.items()
        if taken[key] > left or left < 0
    ]


def _option(index: int, name: str, candidate: Candidate, policy: Policy) -> Option:
    action = policy.actions[name]
    keys = (limit.key(name, candidate.attributes) for limit in policy.limits)
    return Option(
        entity=index,
        action=name,
        saving=action.effect * candidate.loss,
        cost=action.cost,
        uses=tuple(key for key in keys if key is not None),
    )


def _left(key: str, remaining: Mapping[str, float], policy: Policy) -> float:
    name = key.partition("/")[0]
    declared = next(limit.capacity for limit in policy.limits if limit.name == name)
    return float(remaining.get(key, remaining.get(name, declared)))


def check_loss(entity: str, candidate: Candidate) -> None:
    """Refuse, as ``ValueError``, a loss that is none: it would make any decision look good."""
    if not math.isfinite(candidate.loss) or candidate.loss < 0:
        raise ValueError(f"{entity}: the loss at stake is {candidate.loss}")


def _impossible(index: int, wanted: str, candidate: Candidate) -> BadDecisionRequestError:
    allowed = ", ".join(candidate.actions) or "absent: nothing can be done about it"
    error = {"pointer": f"/predictions/{index}/action", "value": wanted, "allowed": allowed}
    return BadDecisionRequestError([error])
