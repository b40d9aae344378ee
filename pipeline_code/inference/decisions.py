"""Predictions in, decisions out: which action for whom, what it costs and saves, and why.

Knows actions, limits and losses; what they stand for is the use case's ``decision.py`` and
``decision.yaml``. The same request gives the same answer under the same id, in whatever order its
entities come.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypedDict

from pipeline_code.inference import highs
from pipeline_code.inference.decision_options import (
    Option,
    Problem,
    build_problem,
    check_loss,
    impossible_limits,
)
from pipeline_code.inference.decision_policy import Candidate, DecisionCode, Policy
from pipeline_code.inference.decision_request import (
    BadDecisionRequestError,
    DecisionRequest,
    Item,
    check_request,
)
from pipeline_code.inference.decision_solving import Choice, Solve, choose

Status = Literal["optimal", "fallback", "nothing_to_decide", "infeasible"]
FORMAT = 1
_CENTS = 2


class Alternative(TypedDict):
    """The best action that was not taken, and why."""

    action: str
    net: float
    reason: str


class Decision(TypedDict):
    """What to do about one entity; ``action`` is null when nothing is."""

    entity_id: str
    prediction_id: str | None
    probability: float
    expected_loss: float
    action: str | None
    saving: float
    cost: float
    net: float
    uses: list[str]
    next_best: Alternative | None


class LimitUse(TypedDict):
    """A limit: what was left, what these decisions use, what one more would be worth."""

    limit: str
    left: float
    used: int
    shadow_price: float | None


class Decisions(TypedDict):
    """The answer."""

    decision_id: str
    status: Status
    reasons: list[str]
    currency: str
    expected_loss: float
    saving: float
    cost: float
    net: float
    decisions: list[Decision]
    limits: list[LimitUse]
    solver: str
    policy_digest: str


class Decider(NamedTuple):
    """What is needed to decide: the use case's policy and code, and a solver."""

    policy: Policy
    code: DecisionCode
    solver: Solve = highs.solve
    solver_version: Callable[[], str] = highs.version


def decide(document: Any, decider: Decider) -> Decisions:
    """Decide a request; raises ``BadDecisionRequestError`` for one that makes no sense."""
    request = _sorted(check_request(document, decider.policy))
    now, later = request["predictions"], request.get("later", [])
    items = [*now, *later]
    candidates = _candidates(items, decider)
    remaining = request.get("remaining", {})
    problem = build_problem(items, len(now), candidates, remaining, decider.policy)
    reasons = impossible_limits(problem)
    if reasons:
        return _answer(request, decider, problem, None, reasons)
    choice = choose(problem, decider.policy.time_limit_seconds, decider.solver)
    return _answer(request, decider, problem, choice, [])


def decision_id(request: DecisionRequest, decider: Decider) -> str:
    """Name a request by all that its answer depends on."""
    parts = [FORMAT, _sorted(request), decider.policy.document, decider.solver_version()]
    return f"d-{_digest(parts)[:32]}"


def _sorted(request: DecisionRequest) -> DecisionRequest:
    def by_entity(items: Sequence[Item]) -> list[Item]:
        return sorted(items, key=lambda item: item["entity_id"])

    return {
        "predictions": by_entity(request["predictions"]),
        "later": by_entity(request.get("later", [])),
        "remaining": request.get("remaining", {}),
    }


def _candidates(items: Sequence[Item], decider: Decider) -> list[Candidate]:
    try:
        made = decider.code.candidates(
            [item["instance"] for item in items],
            [item.get("probability") for item in items],
            decider.policy,
        )
        for item, candidate in zip(items, made, strict=True):
            check_loss(item["entity_id"], candidate)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        text = f"{type(error).__name__}: {error}"
        allowed = "instances that say what the decision needs"
        raise BadDecisionRequestError(
            [{"pointer": "/predictions", "value": text[:160], "allowed": allowed}]
        ) from error
    return made


def _answer(
    request: DecisionRequest,
    decider: Decider,
    problem: Problem,
    choice: Choice | None,
    reasons: list[str],
) -> Decisions:
    made = [] if choice is None else _decisions(problem, choice)
    return {
        "decision_id": decision_id(request, decider),
        "status": _status(problem, choice),
        "reasons": reasons or _remarks(problem, choice),
        "currency": decider.policy.currency,
        "expected_loss": _total(made, "expected_loss"),
        "saving": _total(made, "saving"),
        "cost": _total(made, "cost"),
        "net": _total(made, "net"),
        "decisions": made,
        "limits": _limits(problem, choice),
        "solver": decider.solver_version(),
        "policy_digest": _digest(decider.policy.document),
    }


def _status(problem: Problem, choice: Choice | None) -> Status:
    if choice is None:
        return "infeasible"
    if choice.method == "greedy":
        return "fallback"
    return (
        "optimal" if any(o.entity < problem.now for o in problem.options) else "nothing_to_decide"
    )


def _has_options(problem: Problem) -> bool:
    return any(option.entity < problem.now for option in problem.options)


def _remarks(problem: Problem, choice: Choice | None) -> list[str]:
    if choice and choice.method == "greedy":
        return ["the solver's time was over: decided by the greedy rule with quotas"]
    if not problem.now:
        return ["there are no predictions to decide about"]
    if not _has_options(problem):
        return ["no action is worth its cost"]
    return []


def _decisions(problem: Problem, choice: Choice) -> list[Decision]:
    taken = {option.entity: option for option in choice.taken}
    options: dict[int, list[Option]] = {}
    for option in problem.options:
        options.setdefault(option.entity, []).append(option)
    return [
        _decision(problem, index, taken.get(index), options.get(index, []), choice)
        for index in range(problem.now)
    ]


def _decision(
    problem: Problem, index: int, taken: Option | None, options: Sequence[Option], choice: Choice
) -> Decision:
    item, candidate = problem.items[index], problem.candidates[index]
    return {
        "entity_id": item["entity_id"],
        "prediction_id": item.get("prediction_id"),
        "probability": candidate.probability,
        "expected_loss": round(candidate.loss, _CENTS),
        "action": taken.action if taken else None,
        "saving": round(taken.saving, _CENTS) if taken else 0.0,
        "cost": round(taken.cost, _CENTS) if taken else 0.0,
        "net": round(taken.net, _CENTS) if taken else 0.0,
        "uses": list(taken.uses) if taken else [],
        "next_best": _next_best(taken, options, choice),
    }


def _next_best(
    taken: Option | None, options: Sequence[Option], choice: Choice
) -> Alternative | None:
    """Find what would have been done instead: the best once the scarce is paid for."""
    others = [option for option in options if option is not taken]
    if not others:
        return None
    best = max(others, key=lambda o: (o.net - _scarcity(o, choice), o.net, o.action))
    here = taken.net if taken else 0.0
    return {
        "action": best.action,
        "net": round(best.net, _CENTS),
        "reason": _reason(best, here, choice),
    }


def _reason(best: Option, here: float, choice: Choice) -> str:
    if best.net <= here:
        return f"is worth {here - best.net:.2f} less here"
    scarce = [
        f"one of {key} is worth {choice.prices[key]:.2f} elsewhere"
        for key in best.uses
        if choice.prices.get(key, 0.0) > 0
    ]
    more = f"would be worth {best.net - here:.2f} more here"
    return (
        f"{more}, but {' and '.join(scarce)}" if scarce else f"{more}, but its limits are used up"
    )


def _scarcity(option: Option, choice: Choice) -> float:
    return sum(choice.prices.get(key, 0.0) for key in option.uses)


def _limits(problem: Problem, choice: Choice | None) -> list[LimitUse]:
    taken = choice.taken if choice else []
    prices = choice.prices if choice else {}
    return [
        {
            "limit": key,
            "left": left,
            "used": sum(1 for option in taken if key in option.uses),
            "shadow_price": round(prices[key], _CENTS) if key in prices else None,
        }
        for key, left in problem.remaining.items()
    ]


def _total(made: Sequence[Mapping[str, Any]], name: str) -> float:
    return round(sum(float(one[name]) for one in made), _CENTS)


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
