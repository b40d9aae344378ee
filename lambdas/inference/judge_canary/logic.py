"""Decides whether a new version is worse than the one before, from what both have answered so far.

All checks share one error budget: their weighted average is one e-process, and the version is bad
once that exceeds one over the budget. It may be looked at as often as one likes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NotRequired, TypedDict

from lambdas.inference.canary_evidence import UNKNOWN, Counts, since, total
from lambdas.inference.judge_canary.checks import CHECKS, Limits, Look
from lambdas.inference.judge_canary.sequential_test import log_mean

CONTINUE = "continue"
ROLL_BACK = "roll_back"


class JudgeState(TypedDict):
    """What is carried from one look to the next."""

    begun: dict[str, dict[str, int]]
    """By version: its counters at the first look."""
    seen: dict[str, dict[str, int]]
    """By version: its counters at the last look."""
    logs: dict[str, list[float]]
    """By check: its e-processes, as logarithms."""
    reason: NotRequired[str]
    """Why the version is bad; once it is, it stays so."""


class Judgement(TypedDict):
    """The outcome of one look."""

    verdict: str
    reason: str
    state: JudgeState


def first_look(evidence: Mapping[str, Counts]) -> Judgement:
    """Note what was counted before the new version gets any traffic."""
    counters = {version: dict(counts) for version, counts in evidence.items()}
    state: JudgeState = {
        "begun": counters,
        "seen": counters,
        "logs": {name: [0.0] * check.size for name, check in CHECKS.items()},
    }
    return {"verdict": CONTINUE, "reason": "nothing is known yet", "state": state}


def look_again(
    state: JudgeState,
    evidence: Mapping[str, Counts],
    *,
    champion: str | None,
    challenger: str,
    limits: Limits,
) -> Judgement:
    """Take in what was counted since the last look, and judge by all of it."""
    look = _look(state, evidence, champion, challenger)
    logs = {
        name: check.advance(state["logs"][name], look, limits) for name, check in CHECKS.items()
    }
    seen = {version: dict(counts) for version, counts in evidence.items()}
    after: JudgeState = {"begun": state["begun"], "seen": seen, "logs": _rounded(logs)}
    reason = state.get("reason") or _reason(logs, limits)
    if reason:
        after["reason"] = reason
    return {
        "verdict": ROLL_BACK if reason else CONTINUE,
        "reason": reason or "it is not known to be worse",
        "state": after,
    }


def compared(state: JudgeState, champion: str | None, challenger: str) -> str:
    """Tell in how many requests each version was seen, as evidence for people."""
    requests = {
        version: total(since(state["seen"].get(version, {}), state["begun"].get(version, {})))
        for version in (challenger, champion, UNKNOWN)
        if version is not None
    }
    return ", ".join(f"{version}: {count} requests" for version, count in requests.items())


def _look(
    state: JudgeState, evidence: Mapping[str, Counts], champion: str | None, challenger: str
) -> Look:
    def new(version: str) -> Counts:
        return since(evidence.get(version, {}), state["seen"].get(version, {}))

    # A version that replaces itself cannot be told from itself: only its failures count.
    compared_with = champion if champion != challenger else None
    return Look(
        champion=new(compared_with) if compared_with else {},
        challenger=new(challenger),
        unattributed=new(UNKNOWN),
        champion_before=state["seen"].get(compared_with, {}) if compared_with else {},
    )


def _reason(logs: Mapping[str, list[float]], limits: Limits) -> str:
    """Say what is wrong, or nothing while the budget does not allow to say it."""
    weighed = {name: math.log(CHECKS[name].weight) + log_mean(own) for name, own in logs.items()}
    together = log_mean(list(weighed.values())) + math.log(len(weighed))
    if together < -math.log(limits.error_budget):
        return ""
    worst = max(weighed, key=lambda name: weighed[name])
    return f"the new version {worst} (e-value {math.exp(min(together, 700.0)):.3g})"


def _rounded(logs: Mapping[str, list[float]]) -> dict[str, list[float]]:
    return {name: [round(each, 6) for each in own] for name, own in logs.items()}
