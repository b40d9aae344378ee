"""What is counted of each model version's answers: the evidence that a canary is judged by."""

from __future__ import annotations

import math
from collections.abc import Mapping

Counts = Mapping[str, int]
"""Counters by name; what was never counted is absent."""

ANSWERS = "answers"
FAILURES = "failures"
"""No answer, an error of the server, or an answer that is none (not a number, out of range)."""
REFUSALS = "refusals"
"""Requests that the model found at fault."""

UNKNOWN = "unknown"
"""The version of a failure that does not say which version failed."""

LATENCY = "latency_"
SCORE = "score_"
STEPS_AN_OCTAVE = 4
SCORE_BINS = 10
_LAST_LATENCY = 64


def latency_counter(milliseconds: float) -> str:
    """Name the counter of a latency: four to each doubling, from a millisecond on."""
    step = int(STEPS_AN_OCTAVE * math.log2(max(milliseconds, 1.0)))
    return f"{LATENCY}{min(step, _LAST_LATENCY)}"


def score_counter(probability: float) -> str:
    """Name the counter of a predicted probability: ten of equal width."""
    return f"{SCORE}{min(int(probability * SCORE_BINS), SCORE_BINS - 1)}"


def total(counts: Counts) -> int:
    """Count the requests."""
    return sum(counts.get(name, 0) for name in (ANSWERS, FAILURES, REFUSALS))


def above(counts: Counts, kind: str, first: int) -> tuple[int, int]:
    """Of the requests that a kind of counter has seen: how many, and those from a bin on."""
    found = [(int(k.removeprefix(kind)), n) for k, n in counts.items() if k.startswith(kind)]
    return sum(n for _, n in found), sum(n for bin_, n in found if bin_ >= first)


def since(now: Counts, before: Counts) -> dict[str, int]:
    """Tell what was counted since; counters that began anew count from nothing."""
    grown = {name: value - before.get(name, 0) for name, value in now.items()}
    return {name: value for name, value in grown.items() if value > 0}


def quantile_bin(counts: Counts, kind: str, share: float) -> int | None:
    """Find the first bin above a share of what a kind of counter has seen."""
    found = sorted((int(k.removeprefix(kind)), n) for k, n in counts.items() if k.startswith(kind))
    wanted = share * sum(n for _, n in found)
    below = 0
    for bin_, count in found:
        below += count
        if below >= wanted:
            return bin_ + 1
    return None


def evidence_key(endpoint_name: str, version: str) -> dict[str, str]:
    """Give the key of a version's counters."""
    return {"endpoint_name": endpoint_name, "version": version}
