"""Decisions: the best that limits allow, explained, reproducible; nonsense gets a clear answer."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest

from pipeline_code.inference import highs
from pipeline_code.inference.decision_policy import Candidate, Policy, read_policy
from pipeline_code.inference.decision_request import BadDecisionRequestError
from pipeline_code.inference.decisions import Decider, decide
from pipeline_code.inference.highs import TimeIsOverError
from pipeline_code.yaml_node import Node, UseCaseError

DOCUMENT: dict[str, Any] = {
    "version": 1,
    "currency": "USD",
    "time_limit_seconds": 5,
    "actions": {
        "nudge": {"effect": 0.25, "cost": 10, "description": "A little."},
        "shove": {"effect": 0.75, "cost": 60, "description": "A lot."},
    },
    "limits": {
        "nudges": {"actions": ["nudge"], "capacity": 2, "per": ["place"], "description": "…"},
        "shoves": {"actions": ["shove"], "capacity": 1, "per": [], "description": "…"},
    },
}


class FakeCode:
    """Stakes stand in the instance."""

    def candidates(self, instances, probabilities, policy):
        return [
            Candidate(
                probability=0.5 if probability is None else probability,
                loss=(0.5 if probability is None else probability) * instance["stake"],
                attributes={"place": instance.get("place", "here")},
                actions=tuple(instance.get("actions", policy.actions)),
            )
            for instance, probability in zip(instances, probabilities, strict=True)
        ]


def policy(**changes: Any) -> Policy:
    return read_policy(Node("decision.yaml", {**DOCUMENT, **changes}))


def decider(solver=highs.solve, **changes: Any) -> Decider:
    return Decider(policy(**changes), FakeCode(), solver)


def item(name: str, probability: float, stake: float = 1000, **more: Any) -> dict[str, Any]:
    instance = {"stake": stake} | {k: more.pop(k) for k in ("place", "actions") if k in more}
    return {"entity_id": name, "probability": probability, "instance": instance, **more}


def actions(answer) -> dict[str, str | None]:
    return {each["entity_id"]: each["action"] for each in answer["decisions"]}


def net_of(request, taken, declared: Policy) -> float | None:
    """Add up what actions are worth; None when the limits do not allow them together."""
    left = {limit.name: limit.capacity for limit in declared.limits}
    used: dict[str, int] = {}
    net = 0.0
    for one, name in zip(request["predictions"], taken, strict=True):
        if name is None:
            continue
        action, instance = declared.actions[name], one["instance"]
        net += action.effect * one["probability"] * instance["stake"] - action.cost
        place = {"place": instance.get("place", "here")}
        for key in filter(None, (limit.key(name, place) for limit in declared.limits)):
            used[key] = used.get(key, 0) + 1
    possible = all(count <= left[key.partition("/")[0]] for key, count in used.items())
    return net if possible else None


def best_by_trying(request, declared: Policy) -> float:
    names = [None, *declared.actions]
    every = itertools.product(names, repeat=len(request["predictions"]))
    nets = (net_of(request, taken, declared) for taken in every)
    return max(net for net in nets if net is not None)


@pytest.mark.parametrize("seed", range(25))
def test_no_other_decisions_would_be_worth_more(seed):
    chance = random.Random(seed)  # noqa: S311 - a test's
    request = {
        "predictions": [
            item(f"e{n}", chance.random(), chance.choice([10, 100, 500, 1000]),
                 place=chance.choice(["here", "there"]))
            for n in range(6)
        ]
    }  # fmt: skip

    answer = decide(request, decider())

    assert answer["net"] == pytest.approx(best_by_trying(request, policy()), abs=0.06)
    assert answer["net"] == pytest.approx(answer["saving"] - answer["cost"], abs=0.02)


def test_a_price_tells_what_one_more_would_be_worth():
    request = {"predictions": [item("a", 0.9), item("b", 0.8), item("c", 0.7)]}
    answer = decide(request, decider())
    price = {each["limit"]: each["shadow_price"] for each in answer["limits"]}["shoves"]

    more = decide({**request, "remaining": {"shoves": 2}}, decider())

    assert actions(answer) == {"a": "shove", "b": "nudge", "c": "nudge"}
    assert price == pytest.approx(more["net"] - answer["net"])
    assert answer["decisions"][1]["next_best"] == {
        "action": "shove",
        "net": 540.0,
        "reason": "would be worth 350.00 more here, but one of shoves is worth 350.00 elsewhere",
    }
    assert "is worth 400.00 less here" in answer["decisions"][0]["next_best"]["reason"]


def test_what_comes_later_competes_for_what_is_scarce():
    now = {"predictions": [item("a", 0.2)]}
    later = [{"entity_id": "b", "instance": {"stake": 5000}}]

    assert actions(decide(now, decider())) == {"a": "shove"}
    assert actions(decide({**now, "later": later}, decider())) == {"a": "nudge"}


def test_the_order_of_entities_changes_nothing():
    items = [item(f"e{n}", 0.5 + n / 100) for n in range(8)]
    shuffled = random.Random(1).sample(items, len(items))  # noqa: S311 - a test's

    assert decide({"predictions": items}, decider()) == decide({"predictions": shuffled}, decider())


@pytest.mark.parametrize(
    "changed",
    [{"probability": 0.51}, {"instance": {"stake": 1001}}, {"entity_id": "z"}],
)
def test_another_request_has_another_id(changed):
    one = decide({"predictions": [item("a", 0.5)]}, decider())
    other = decide({"predictions": [item("a", 0.5) | changed]}, decider())
    dearer = decider(actions={**DOCUMENT["actions"], "nudge": {
        "effect": 0.25, "cost": 11, "description": "A little."}})  # fmt: skip

    assert one["decision_id"] != other["decision_id"]
    assert decide({"predictions": [item("a", 0.5)]}, dearer)["decision_id"] != one["decision_id"]


def test_when_the_solver_s_time_is_over_the_greedy_rule_decides_and_says_so():
    def slow(*_args, **_more):
        raise TimeIsOverError

    request = {
        "predictions": [item("a", 0.9), item("b", 0.8), item("c", 0.7), item("d", 0.6)],
        "later": [{"entity_id": "e", "instance": {"stake": 2500}}],
    }

    answer = decide(request, decider(slow))

    assert answer["status"] == "fallback"
    assert "time was over" in answer["reasons"][0]
    assert actions(answer) == {"a": "shove", "b": "nudge", "c": "nudge", "d": None}
    assert all(each["shadow_price"] is None for each in answer["limits"])
    assert all(each["used"] <= each["left"] for each in answer["limits"])


def test_a_solver_without_time_gives_up():
    rows = [[(3 * n + k, 1.0) for k in range(3)] for n in range(300)]
    hard = highs.Program([1.0] * 900, [0.0] * 900, [1.0] * 900, rows, [1.5] * 300, [True] * 900)

    with pytest.raises(TimeIsOverError):
        highs.solve(hard, 0.0)


@pytest.mark.parametrize(
    ("request_body", "status", "reason"),
    [
        ({"predictions": []}, "nothing_to_decide", "no predictions"),
        ({"predictions": [item("a", 0.0)]}, "nothing_to_decide", "no action is worth its cost"),
        ({"predictions": [item("a", 1, stake=39)]}, "nothing_to_decide", "worth its cost"),
        (
            {"predictions": [item("a", 0.9)], "remaining": {"shoves": -1}},
            "infeasible",
            "shoves: 0 are taken in any case, -1 are left",
        ),
        (
            {"predictions": [item("a", 0.9, action="shove"), item("b", 0.9, action="shove")]},
            "infeasible",
            "shoves: 2 are taken in any case, 1 are left",
        ),
    ],
)
def test_degenerate_problems_have_a_clear_answer(request_body, status, reason):
    answer = decide(request_body, decider())

    assert answer["status"] == status
    assert any(reason in each for each in answer["reasons"])
    assert answer["net"] == 0


def test_nothing_left_is_no_fault():
    nothing = {"nudges": 0, "shoves": 0}

    answer = decide({"predictions": [item("a", 0.9)], "remaining": nothing}, decider())

    assert answer["status"] == "optimal"
    assert actions(answer) == {"a": None}
    assert {each["limit"]: each["shadow_price"] for each in answer["limits"]}["shoves"] > 0
    assert "elsewhere" in answer["decisions"][0]["next_best"]["reason"]


def test_what_is_done_in_any_case_is_done_even_at_a_loss():
    answer = decide({"predictions": [item("a", 0.01, action="shove"), item("b", 0.9)]}, decider())

    assert actions(answer) == {"a": "shove", "b": "nudge"}


@pytest.mark.parametrize(
    ("request_body", "pointer", "allowed"),
    [
        ([], "", "an object"),
        ({}, "/predictions", "a list"),
        ({"predictions": 3}, "/predictions", "a list"),
        ({"predictions": [3]}, "/predictions/0", "an object"),
        ({"predictions": [item("a", math.nan)]}, "/predictions/0/probability", "from 0 to 1"),
        ({"predictions": [item("a", math.inf)]}, "/predictions/0/probability", "from 0 to 1"),
        ({"predictions": [item("a", -0.1)]}, "/predictions/0/probability", "from 0 to 1"),
        ({"predictions": [item("a", 10**400)]}, "/predictions/0/probability", "from 0 to 1"),
        ({"predictions": [item("a", True)]}, "/predictions/0/probability", "from 0 to 1"),
        ({"predictions": [item("", 0.1)]}, "/predictions/0/entity_id", "1 to 256"),
        (
            {"predictions": [item("a", 0.1), item("a", 0.2)]},
            "/predictions/1/entity_id",
            "named once",
        ),
        (
            {"predictions": [item("a", 0.1)], "later": [{"entity_id": "a", "instance": {}}]},
            "/later/0/entity_id",
            "named once",
        ),
        ({"predictions": [item("a", 0.1, action="pray")]}, "/predictions/0/action", "nudge, shove"),
        (
            {"predictions": [item("a", 0.9, actions=["nudge"], action="shove")]},
            "/predictions/0/action",
            "nudge",
        ),
        ({"predictions": [item("a", 0.1, colour="red")]}, "/predictions/0/colour", "unknown"),
        ({"predictions": [], "remaining": {"crew": 1}}, "/remaining/crew", "nudges, shoves"),
        (
            {"predictions": [], "remaining": {"shoves": math.nan}},
            "/remaining/shoves",
            "a finite number",
        ),
        (
            {"predictions": [{"entity_id": "a", "probability": 0.5, "instance": {}}]},
            "/predictions",
            "instances that say",
        ),
        *(
            ({"predictions": [item("a", 0.5, stake=stake)]}, "/predictions", "instances that say")
            for stake in (math.nan, math.inf, -1, "much", None, [], 10**400)
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_by_its_field(request_body, pointer, allowed):
    with pytest.raises(BadDecisionRequestError) as refused:
        decide(request_body, decider())

    assert refused.value.errors[0]["pointer"] == pointer
    assert allowed in refused.value.errors[0]["allowed"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"actions": {"nudge": {"effect": 0.5, "cost": -1, "description": ""}}}, "cost is -1"),
        ({"actions": {"nudge": {"effect": 2, "cost": 1, "description": ""}}}, "effect is 2"),
        ({"actions": {"nudge": {"effect": 0.5, "cost": math.nan, "description": ""}}}, "cost is"),
        (
            {"limits": {"x": {"actions": ["fly"], "capacity": 1, "description": ""}}},
            "known are ['nudge', 'shove']",
        ),
        (
            {"limits": {"x": {"actions": ["nudge"], "capacity": -2, "description": ""}}},
            "capacity is -2",
        ),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_by_its_field(changes, words):
    with pytest.raises(UseCaseError) as refused:
        policy(**changes)

    assert words in str(refused.value)
