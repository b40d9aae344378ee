"""Simulated deployments: two versions answer, one of them perhaps badly, and the judge looks on."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from lambdas.inference.canary_evidence import (
    ANSWERS,
    FAILURES,
    REFUSALS,
    UNKNOWN,
    latency_counter,
    score_counter,
)
from lambdas.inference.judge_canary.checks import Limits
from lambdas.inference.judge_canary.logic import ROLL_BACK, first_look, look_again

CHAMPION, CHALLENGER = "1", "2"
WARM_UP_SECONDS = 60


@dataclass(frozen=True)
class Behaviour:
    """How a version answers; by default as it should."""

    fails: float = 0.0
    """The part of its requests that it fails, beside the base rate."""
    silent: bool = False
    """Its failures do not say which version failed."""
    slower: float = 1.0
    score: Callable[[random.Random], float] = lambda rng: rng.betavariate(1.1, 2.9)


KINDS = {
    "raises on every call": Behaviour(fails=1.0),
    "dies on every call": Behaviour(fails=1.0, silent=True),
    "fails 20 %": Behaviour(fails=0.2),
    "fails 5 %": Behaviour(fails=0.05),
    "fails 2 %": Behaviour(fails=0.02),
    "three times slower": Behaviour(slower=3.0),
    "classes swapped": Behaviour(score=lambda rng: 1.0 - rng.betavariate(1.1, 2.9)),
    "always the base rate": Behaviour(score=lambda _: 0.277),
    "not a number": Behaviour(fails=1.0),
}
GOOD = Behaviour()


@dataclass(frozen=True)
class Traffic:
    """The load on the endpoint, and how it is shared."""

    per_second: float = 20.0
    canary: float = 0.1
    seconds: int = 300
    look_seconds: int = 5
    base_errors: float = 0.001
    garbage: float = 0.0
    """The part of the requests that is refused, whoever answers."""


class Outcome(NamedTuple):
    """What became of a deployment."""

    rolled_back: bool
    seconds: int
    bad_answers: int
    reason: str
    any_error_alarm: bool
    """Whether the rule "any error in a minute" would have rolled it back."""


@dataclass
class _Endpoint:
    """Counts what the versions answer, as the function behind the API does."""

    rng: random.Random
    traffic: Traffic
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    errors: int = 0
    bad: int = 0

    def second(self, challenger: Behaviour, canary: float) -> None:
        for _ in range(_poisson(self.rng, self.traffic.per_second)):
            to_challenger = self.rng.random() < canary
            behaviour = challenger if to_challenger else GOOD
            self._request(CHALLENGER if to_challenger else CHAMPION, behaviour)

    def _request(self, version: str, behaviour: Behaviour) -> None:
        rng = self.rng
        if rng.random() < self.traffic.garbage:
            self._count(version, REFUSALS)
            return
        own = rng.random() < behaviour.fails
        if own or rng.random() < self.traffic.base_errors:
            self.errors += 1
            self.bad += own
            self._count(UNKNOWN if own and behaviour.silent else version, FAILURES)
            return
        milliseconds = behaviour.slower * 8.0 * math.exp(rng.gauss(0.0, 0.4))
        score = behaviour.score(rng)
        changed = behaviour is not GOOD and not behaviour.fails
        self.bad += changed
        self._count(version, ANSWERS, latency_counter(milliseconds), score_counter(score))

    def _count(self, version: str, *names: str) -> None:
        self.counts.setdefault(version, Counter()).update(names)


def deployment(seed: int, challenger: Behaviour, traffic: Traffic, limits: Limits) -> Outcome:
    """Simulate one deployment to its end or its roll-back."""
    endpoint = _Endpoint(random.Random(seed), traffic)  # noqa: S311 - a simulation
    for _ in range(WARM_UP_SECONDS):
        endpoint.second(challenger, 0.0)
    judgement = first_look(endpoint.counts)
    endpoint.errors = 0
    for second in range(1, traffic.seconds + 1):
        endpoint.second(challenger, traffic.canary)
        if second % traffic.look_seconds:
            continue
        judgement = look_again(
            judgement["state"],
            endpoint.counts,
            champion=CHAMPION,
            challenger=CHALLENGER,
            limits=limits,
        )
        if judgement["verdict"] == ROLL_BACK:
            return Outcome(True, second, endpoint.bad, judgement["reason"], endpoint.errors > 0)
    return Outcome(False, traffic.seconds, endpoint.bad, "", endpoint.errors > 0)


def _poisson(rng: random.Random, mean: float) -> int:
    """Draw how many requests come in a second: exponential pauses between them."""
    count, left = 0, 1.0
    while (left := left - rng.expovariate(mean)) > 0:
        count += 1
    return count
