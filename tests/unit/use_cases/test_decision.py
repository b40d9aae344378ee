"""The use case's part of decisions: what is at stake, and what limits count."""

from __future__ import annotations

import math

import pytest

from pipeline_code.inference.decision_policy import load_decision_code, load_policy
from pipeline_code.inference.decision_request import BadDecisionRequestError
from pipeline_code.inference.decisions import Decider, decide

POLICY = load_policy("flight_delays")
CODE = load_decision_code("flight_delays")
DECIDER = Decider(POLICY, CODE)


def flight(hour: int = 17, origin: str = "JFK", seats: float | None = 100.0) -> dict:
    network = None if seats is None else {"aircraft_seats": seats}
    departure = f"2013-12-05T{hour:02d}:30"
    return {
        "schedule": {"scheduled_departure": departure, "origin": origin},
        "network": network,
    }


def candidate(probability: float | None = 0.5, **changes):
    (made,) = CODE.candidates([flight(**changes)], [probability], POLICY)
    return made


def test_a_loss_is_made_of_the_aircraft_s_minutes_and_the_passengers():
    made = candidate(0.5, hour=17, seats=100.0)

    minutes = POLICY.document["constants"]["severity_minutes"][17]
    assert made.loss == pytest.approx(0.5 * minutes * (79.05 + 0.83 * 100 * 46.53 / 60))


@pytest.mark.parametrize(
    ("seats", "size", "actions"),
    [
        (50.0, "regional", {"turn", "crew", "swap"}),
        (90.0, "regional", {"turn", "crew", "swap"}),
        (91.0, "mainline", {"turn", "crew", "swap"}),
        (200.0, "mainline", {"turn", "crew", "swap"}),
        (201.0, "mainline", {"turn", "crew"}),
        (None, "mainline", {"turn", "crew", "swap"}),
    ],
)
def test_no_reserve_aircraft_is_larger_than_its_kind(seats, size, actions):
    made = candidate(seats=seats)

    assert made.attributes["size"] == size
    assert set(made.actions) == actions


def test_limits_count_teams_by_airport_and_hour_crews_by_airport_and_day_aircraft_by_day():
    made = candidate(hour=17, origin="EWR", seats=150.0)

    keys = {
        name: [key for limit in POLICY.limits if (key := limit.key(name, made.attributes))]
        for name in POLICY.actions
    }

    assert keys == {
        "turn": ["turn/EWR/2013-12-05T17"],
        "crew": ["crew/EWR/2013-12-05"],
        "swap": ["swap/2013-12-05", "swap_mainline/2013-12-05"],
    }


def test_what_is_yet_to_be_predicted_gets_what_is_usual_there_and_then():
    usual = POLICY.document["outlook"]["JFK"][17]
    flights = [flight(seats=float(50 + number)) for number in range(len(usual))]

    made = CODE.candidates(flights, [None] * len(flights), POLICY)
    again = CODE.candidates(list(reversed(flights)), [None] * len(flights), POLICY)

    assert sorted(each.probability for each in made) == sorted(usual)
    assert sorted(each.probability for each in again) == sorted(usual)
    assert candidate(None, hour=6).probability < candidate(None, hour=20).probability


def test_every_airport_and_hour_has_something_usual():
    for origin in ("EWR", "JFK", "LGA"):
        for hour in range(24):
            assert 0 <= candidate(None, hour=hour, origin=origin).probability <= 1


def test_a_busy_evening_uses_up_the_teams_and_says_what_one_more_is_worth():
    items = [
        {"entity_id": f"f{n}", "probability": 0.3 + n / 100, "instance": flight(seats=60.0 + n)}
        for n in range(40)
    ]

    answer = decide({"predictions": items}, DECIDER)

    limits = {each["limit"]: each for each in answer["limits"]}
    assert answer["status"] == "optimal"
    assert limits["turn/JFK/2013-12-05T17"]["used"] == 3
    assert limits["turn/JFK/2013-12-05T17"]["shadow_price"] > 0
    assert limits["swap/2013-12-05"]["used"] <= 6
    assert answer["net"] > 0


@pytest.mark.parametrize(
    "instance",
    [
        {},
        {"schedule": None},
        {"schedule": "x"},
        {"schedule": {"scheduled_departure": "soon", "origin": "JFK"}},
        {"schedule": {"scheduled_departure": "2013-12-05T99:00", "origin": "JFK"}},
        {"schedule": {"scheduled_departure": "2013-12-05T17:00"}},
        flight() | {"network": "x"},
        flight() | {"network": {"aircraft_seats": "many"}},
        flight() | {"network": {"aircraft_seats": -1e308}},
        flight() | {"network": {"aircraft_seats": 10**400}},
    ],
    ids=lambda instance: str(instance)[:60],
)
def test_an_instance_that_says_not_enough_is_refused(instance):
    item = {"entity_id": "a", "probability": 0.5, "instance": instance}

    with pytest.raises(BadDecisionRequestError):
        decide({"predictions": [item]}, DECIDER)


def test_what_the_decision_does_not_read_may_be_anything():
    item = {"entity_id": "\ud800", "probability": 0.5, "instance": flight() | {"more": math.inf}}

    assert decide({"predictions": [item]}, DECIDER)["status"] == "optimal"
