"""Sequential comparison of two streams of yes and no: tests that may be looked at any time.

Two streams with so many trials and successes each came since the last look. Under the null
hypothesis that the second succeeds at most ``margin`` more often than the first, the factor

    p(first | a) p(second | b) / (p(first | x) p(second | x + margin))

has an expectation of at most one, for whatever true rates: with ``x`` the nearest point of the null
hypothesis' edge, the logarithm of that expectation is concave along the edge and has its maximum,
nought, at ``x``. The product of the factors of all looks, averaged over a grid of ``(a, b)``, is an
e-process: while the null hypothesis holds, the chance that it *ever* exceeds ``1 / alpha`` is at
most ``alpha`` (Ville's inequality).

Source: R. Turner, A. Ly and P. Grünwald, "Generic E-variables for exact sequential k-sample tests
that allow for optional stopping", JSPI 230 (2024); for the margin: R. Turner and P. Grünwald,
"Exact anytime-valid confidence intervals for contingency tables and beyond", Statistics &
Probability Letters 198 (2023).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Pair = tuple[float, float]
_HALVINGS = 30


class Trials(NamedTuple):
    """What came of one stream since the last look."""

    number: int
    successes: int


def advanced(
    logs: Sequence[float], pairs: Sequence[Pair], first: Trials, second: Trials, margin: float = 0.0
) -> list[float]:
    """Multiply each pair's e-process, as a logarithm, by the factor of the newest look."""
    if not first.number or not second.number:
        return list(logs)  # Only what is answered side by side is compared.
    return [
        log + _log_factor(pair, first, second, margin)
        for log, pair in zip(logs, pairs, strict=True)
    ]


def advanced_against(
    logs: Sequence[float], rates: Sequence[float], trials: Trials, limit: float
) -> list[float]:
    """Do the same for one stream, whose rate is at most ``limit`` under the null hypothesis."""
    return [log + _log_ratio(trials, rate, limit) for log, rate in zip(logs, rates, strict=True)]


def log_mean(logs: Sequence[float]) -> float:
    """Average e-processes, given and returned as logarithms."""
    highest = max(logs)
    return highest + math.log(math.fsum(math.exp(each - highest) for each in logs) / len(logs))


def _log_factor(pair: Pair, first: Trials, second: Trials, margin: float) -> float:
    low, high = pair
    edge = _nearest(pair, first.number, second.number, margin)
    return _log_ratio(first, low, edge) + _log_ratio(second, high, edge + margin)


def _log_ratio(trials: Trials, rate: float, against: float) -> float:
    failures = trials.number - trials.successes
    return trials.successes * math.log(rate / against) + failures * math.log(
        (1 - rate) / (1 - against)
    )


def _nearest(pair: Pair, count_first: int, count_second: int, margin: float) -> float:
    """Find the edge's point with the least Kullback-Leibler divergence from the pair."""
    low, high = pair
    if not margin:
        return (count_first * low + count_second * high) / (count_first + count_second)
    left, right = low, high - margin
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        slope = count_first * _pull(low, middle) + count_second * _pull(high, middle + margin)
        left, right = (middle, right) if slope > 0 else (left, middle)
    return (left + right) / 2


def _pull(rate: float, point: float) -> float:
    return (rate - point) / (point * (1 - point))
