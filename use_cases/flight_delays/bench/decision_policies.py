"""Two months of decisions, hour by hour, by every policy: what each expected, and what came true.

Each hour decides about its departures with what is left of the day's limits. What came true is the
share of the actual minutes that each action avoids, less its cost.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from pipeline_code.inference import highs
from pipeline_code.inference.decision_policy import (
    Candidate,
    DecisionCode,
    Policy,
    load_decision_code,
    load_policy,
)
from pipeline_code.inference.decision_solving import Solve
from pipeline_code.inference.decisions import Decider, decide
from pipeline_code.inference.highs import TimeIsOverError

USE_CASE = "flight_delays"
POLICY = load_policy(USE_CASE)
CODE = load_decision_code(USE_CASE)
ALARMING = 0.35
"""The probability from which the rule by risk acts."""

Row = Mapping[str, Any]


class Hour(NamedTuple):
    """One decision: this hour's departures, the rest of the day's, and what is left."""

    now: Sequence[Row]
    later: Sequence[Row]
    left: Mapping[str, float]


class Chosen(NamedTuple):
    """An action by departure, what they are expected to save, and what solving took."""

    actions: Mapping[str, str]
    expected: float
    solve_seconds: float = 0.0


Choose = Callable[[Hour], Chosen]


@dataclass
class Outcome:
    """What a policy came to, in dollars, and how long its decisions took."""

    expected: float = 0.0
    realised: float = 0.0
    by_day: dict[str, float] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    """Of each decision, by the processor's clock: other processes do not count."""
    solve_seconds: list[float] = field(default_factory=list)


def read_months(predictions: Path, first: str) -> list[Row]:
    """Read the flights from a month on, with what each lost when nothing was done."""
    rows = pl.read_parquet(predictions).filter(pl.col("period") >= first)
    return [_with_loss(row) for row in rows.iter_rows(named=True)]


def run(rows: Sequence[Row], choose: Choose) -> Outcome:
    """Decide every hour of every day, each with what the earlier ones left."""
    outcome = Outcome()
    for day, flights in _grouped(rows, "day"):
        hours = _grouped(flights, "scheduled_hour")
        left: dict[str, float] = {}
        for place, (_, now) in enumerate(hours):
            later = [row for _, rest in hours[place + 1 :] for row in rest]
            started = time.thread_time()
            chosen = choose(Hour(now, later, left))
            outcome.seconds.append(time.thread_time() - started)
            outcome.solve_seconds.append(chosen.solve_seconds)
            outcome.expected += chosen.expected
            saved = _settle(now, chosen.actions, left)
            outcome.realised += saved
            outcome.by_day[day] = outcome.by_day.get(day, 0.0) + saved
    return outcome


class Foreseeing:
    """The use case's code for a caller who has a probability of later departures too."""

    def candidates(
        self, instances: Sequence[Row], probabilities: Sequence[float | None], policy: Policy
    ) -> list[Candidate]:
        """Take what the caller foresees in the place of what is usual."""
        known = [
            instance["foreseen"] if given is None else given
            for instance, given in zip(instances, probabilities, strict=True)
        ]
        return CODE.candidates(instances, known, policy)


class Omniscient:
    """The use case's code for who knows what will be lost."""

    def candidates(
        self, instances: Sequence[Row], probabilities: Sequence[float | None], policy: Policy
    ) -> list[Candidate]:
        """Take the losses that came true in the place of those that were expected."""
        made = CODE.candidates(instances, [1.0] * len(probabilities), policy)
        return [
            replace(candidate, loss=instance["lost"])
            for candidate, instance in zip(made, instances, strict=True)
        ]


def rolling(
    probability: str,
    *,
    code: DecisionCode = CODE,
    looks_ahead: bool = True,
    greedy: bool = False,
) -> Choose:
    """Decide as the product does: exactly or by its greedy rule, with a view to the day or not."""
    solver = Stopwatch(_never if greedy else highs.solve)
    decider = Decider(POLICY, code, solver)

    def choose(hour: Hour) -> Chosen:
        solver.seconds = 0.0
        now = [
            {**_item(row, probability), "probability": float(row[probability])} for row in hour.now
        ]
        later = [_item(row, probability) for row in hour.later] if looks_ahead else []
        document = {"predictions": now, "later": later, "remaining": dict(hour.left)}
        answer = decide(document, decider)
        actions = {
            each["entity_id"]: each["action"] for each in answer["decisions"] if each["action"]
        }
        return Chosen(actions, answer["net"], solver.seconds)

    return choose


def by_benefit(probability: str) -> Choose:
    """Take the most beneficial action first, for whom it saves most, while anything is left."""

    def choose(hour: Hour) -> Chosen:
        options = sorted(
            (
                (_net(action, row[probability] * row["severe_loss"]), row, action)
                for row in hour.now
                for action in row["actions"]
            ),
            key=lambda option: (-option[0], option[1]["entity_id"], option[2]),
        )
        return _take((each for each in options if each[0] > 0), hour.left)

    return choose


def by_risk(probability: str) -> Choose:
    """Give the likeliest the strongest action that is left, from a threshold on."""

    def choose(hour: Hour) -> Chosen:
        alarming = [row for row in hour.now if row[probability] >= ALARMING]
        alarming.sort(key=lambda row: (-row[probability], row["entity_id"]))
        options = (
            (_net(action, row[probability] * row["severe_loss"]), row, action)
            for row in alarming
            for action in sorted(row["actions"], key=lambda a: -POLICY.actions[a].effect)
        )
        return _take(options, hour.left)

    return choose


def _take(options: Iterator[tuple[float, Row, str]], left: Mapping[str, float]) -> Chosen:
    remaining, chosen, expected = dict(left), {}, 0.0
    for net, row, action in options:
        keys = _keys(row, action)
        if row["entity_id"] in chosen or any(_left(remaining, key) < 1 for key in keys):
            continue
        for key in keys:
            remaining[key] = _left(remaining, key) - 1
        chosen[row["entity_id"]] = action
        expected += net
    return Chosen(chosen, expected)


class Stopwatch:
    """A solver whose time is counted."""

    def __init__(self, solver: Solve) -> None:
        """Count from nought."""
        self.seconds = 0.0
        self._solver = solver

    def __call__(self, *arguments: Any, **options: Any) -> highs.Solution:
        """Solve."""
        started = time.thread_time()
        try:
            return self._solver(*arguments, **options)
        finally:
            self.seconds += time.thread_time() - started


def _never(*_arguments: object, **_options: object) -> highs.Solution:
    raise TimeIsOverError


def _settle(now: Sequence[Row], chosen: Mapping[str, str], left: dict[str, float]) -> float:
    """Pay for the actions, count what they avoided, and use the limits up."""
    saved = 0.0
    for row in now:
        action = chosen.get(row["entity_id"])
        if action is not None:
            saved += _net(action, row["lost"])
            for key in _keys(row, action):
                left[key] = _left(left, key) - 1
    return saved


def _net(action: str, loss: float) -> float:
    return POLICY.actions[action].effect * loss - POLICY.actions[action].cost


def _keys(row: Row, action: str) -> list[str]:
    found = (limit.key(action, row["attributes"]) for limit in POLICY.limits)
    return [key for key in found if key is not None]


def _left(left: Mapping[str, float], key: str) -> float:
    name = key.partition("/")[0]
    declared = next(limit.capacity for limit in POLICY.limits if limit.name == name)
    return left.get(key, declared)


def _with_loss(row: Row) -> Row:
    """Add what limits count it by, what is lost when it comes late, and what was."""
    departure = f"{row['day']}T{row['hour']:02d}:{row['minute']:02d}"
    made = {**row, "departure": departure, "day": str(row["day"]), "scheduled_hour": departure[:13]}
    (candidate,) = CODE.candidates([_item(made, "probability")["instance"]], [1.0], POLICY)
    minutes = POLICY.document["constants"]["severity_minutes"][row["hour"]]
    return {
        **made,
        "attributes": candidate.attributes,
        "actions": tuple(candidate.actions),
        "severe_loss": candidate.loss,
        "lost": candidate.loss / minutes * row["minutes_late"] * row["label"],
    }


def _item(row: Row, probability: str) -> dict[str, Any]:
    return {
        "entity_id": row["entity_id"],
        "instance": {
            "schedule": {"scheduled_departure": row["departure"], "origin": row["origin"]},
            "network": {"aircraft_seats": row["seats"]},
            "foreseen": row[probability],
            "lost": row.get("lost"),
        },
    }


def _grouped(rows: Sequence[Row], key: str) -> list[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row[key]), []).append(row)
    return sorted(groups.items())


OURS = "ensemble, exact, rolling"
POLICIES: Mapping[str, Choose] = {
    "no model, greedy by benefit": by_benefit("base_rate"),
    "no model, exact, rolling": rolling("base_rate", code=Foreseeing()),
    "look-up table, exact, rolling": rolling("look_up", code=Foreseeing()),
    "ensemble, greedy by risk": by_risk("probability"),
    "ensemble, greedy by benefit": by_benefit("probability"),
    "ensemble, exact, this hour alone": rolling("probability", looks_ahead=False),
    "ensemble, greedy with quota": rolling("probability", greedy=True),
    OURS: rolling("probability"),
    "oracle": rolling("probability", code=Omniscient()),
}


def interval(ours: Outcome, other: Outcome, samples: int = 400) -> tuple[float, float]:
    """Give the 95 % interval of a difference: days, the blocks that share weather, drawn anew."""
    days = sorted(ours.by_day)
    gains = [ours.by_day[day] - other.by_day[day] for day in days]
    chance = random.Random(0)  # noqa: S311 - no secret is drawn
    sums = sorted(sum(chance.choices(gains, k=len(gains))) for _ in range(samples))
    return sums[round(samples * 0.025)], sums[round(samples * 0.975)]
