"""The checks of a canary: what of the evidence each compares, and what it would call bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from lambdas.inference.canary_evidence import (
    FAILURES,
    LATENCY,
    REFUSALS,
    SCORE,
    STEPS_AN_OCTAVE,
    Counts,
    above,
    quantile_bin,
    total,
)
from lambdas.inference.judge_canary.sequential_test import Pair, Trials, advanced, advanced_against


@dataclass(frozen=True)
class Limits:
    """What is put up with."""

    error_budget: float = 0.01
    """The chance that a version which is as good as the one before is ever rolled back."""
    failure_rate: float = 0.02
    """Of all requests may fail on the new version, or without saying where."""
    slower_octaves: int = 1
    """How many times the latency may double."""
    score_shift: float = 0.2
    """By how much the share of scores above any value may differ."""


class Look(NamedTuple):
    """What came since the last look, and what was known of the champion before."""

    champion: Counts
    challenger: Counts
    unattributed: Counts
    champion_before: Counts


Advance = Callable[[list[float], Look, Limits], list[float]]


class Check(NamedTuple):
    """One way to be bad: its e-processes' number, weight, and how a look advances them."""

    weight: float
    size: int
    advance: Advance


_RATES: tuple[Pair, ...] = tuple(
    (low, high)
    for low in (0.001, 0.006, 0.03, 0.2)
    for high in (0.04, 0.1, 0.3, 0.97)
    if high >= 3 * low
)
_SLOW: tuple[Pair, ...] = ((0.1, 0.5), (0.25, 0.7), (0.25, 0.97), (0.05, 0.97))
_SHIFTED: tuple[Pair, ...] = ((0.03, 0.6), (0.03, 0.97), (0.2, 0.75), (0.2, 0.97), (0.5, 0.97))
_SCORE_EDGES = (2, 4, 5, 6, 8)
_TOO_MANY = (0.05, 0.1, 0.3, 0.9)
_TYPICAL = 0.75
_KNOWN_WELL = 30
"""Answers of the champion before its typical latency is relied on."""


def _compared(name: str) -> Advance:
    def advance(logs: list[float], look: Look, _limits: Limits) -> list[float]:
        first, second = (
            Trials(total(counts), counts.get(name, 0))
            for counts in (look.champion, look.challenger)
        )
        return advanced(logs, _RATES, first, second)

    return advance


def _overall(logs: list[float], look: Look, limits: Limits) -> list[float]:
    """Count the failures that may be the new version's against all requests."""
    requests = total(look.champion) + total(look.challenger) + total(look.unattributed)
    failures = look.challenger.get(FAILURES, 0) + look.unattributed.get(FAILURES, 0)
    rates = [max(rate, 1.5 * limits.failure_rate) for rate in _TOO_MANY]
    return advanced_against(logs, rates, Trials(requests, failures), limits.failure_rate)


def _slower(logs: list[float], look: Look, limits: Limits) -> list[float]:
    """Compare who is slower than the champion was typically; the challenger with its allowance."""
    known, _ = above(look.champion_before, LATENCY, 0)
    typical = quantile_bin(look.champion_before, LATENCY, _TYPICAL)
    if typical is None or known < _KNOWN_WELL:
        return logs
    allowance = limits.slower_octaves * STEPS_AN_OCTAVE
    first = Trials(*above(look.champion, LATENCY, typical))
    second = Trials(*above(look.challenger, LATENCY, typical + allowance))
    return advanced(logs, _SLOW, first, second)


def _shifted(logs: list[float], look: Look, limits: Limits) -> list[float]:
    """Compare the shares of scores above and below some values."""
    moved: list[float] = []
    for edge in _SCORE_EDGES:
        first, second = (Trials(*above(c, SCORE, edge)) for c in (look.champion, look.challenger))
        for one, other in ((first, second), (_opposite(first), _opposite(second))):
            start = len(moved)
            own = logs[start : start + len(_SHIFTED)]
            moved += advanced(own, _SHIFTED, one, other, limits.score_shift)
    return moved


def _opposite(trials: Trials) -> Trials:
    return Trials(trials.number, trials.number - trials.successes)


CHECKS: Mapping[str, Check] = {
    "fails more often": Check(0.4, len(_RATES), _compared(FAILURES)),
    "fails too often": Check(0.15, len(_TOO_MANY), _overall),
    "refuses more often": Check(0.1, len(_RATES), _compared(REFUSALS)),
    "is slower": Check(0.15, len(_SLOW), _slower),
    "predicts otherwise": Check(0.2, 2 * len(_SCORE_EDGES) * len(_SHIFTED), _shifted),
}
"""By what is wrong with the new version. The weights add up to one: the budget is one for all."""
