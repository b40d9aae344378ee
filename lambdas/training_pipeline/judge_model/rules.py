"""The rules of the verdict; each gives sentences with the numbers that decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pipeline_code.training_pipeline.contract import Evaluation, Gate, Metrics


class Finding(NamedTuple):
    """What one rule found."""

    passed: bool
    reason: str


def findings(evaluation: Evaluation, gate: Gate) -> list[Finding]:
    """Apply every rule."""
    return [
        *_limits(evaluation, gate),
        *_against_champion(evaluation, gate),
        *_slices(evaluation, gate),
    ]


def _limits(evaluation: Evaluation, gate: Gate) -> Iterator[Finding]:
    metrics = evaluation["challenger"]
    size, latency = evaluation["model_size_bytes"], evaluation["latency_ms_p50"]
    yield _at_least("AUC", metrics["auc"], gate["min_auc"])
    yield _at_most("Log loss", metrics["log_loss"], gate["max_log_loss"])
    yield _at_most("Brier score", metrics["brier"], gate["max_brier"])
    yield _at_most("Calibration error", metrics["ece"], gate["max_ece"])
    yield _at_most("Model size in bytes", size, gate["max_model_size_bytes"])
    yield _at_most("Median latency in ms", latency, gate["max_latency_ms_p50"])


def _against_champion(evaluation: Evaluation, gate: Gate) -> Iterator[Finding]:
    champion = evaluation.get("champion")
    if champion is None:
        yield Finding(passed=True, reason="No model is serving yet: there is no champion to beat.")
        return
    challenger = evaluation["challenger"]
    gain = champion["log_loss"] - challenger["log_loss"]
    needed = gate["min_gain_log_loss"]
    passed = gain >= needed
    yield Finding(
        passed,
        f"Log loss {_number(challenger['log_loss'])} against the champion's "
        f"{_number(champion['log_loss'])}: a gain of {_number(gain)}, "
        f"{'enough' if passed else 'too little'} for the required {_number(needed)}.",
    )


def _slices(evaluation: Evaluation, gate: Gate) -> Iterator[Finding]:
    allowed = gate["max_slice_loss_log_loss"]
    compared, failed = 0, 0
    for column, values in evaluation.get("champion_slices", {}).items():
        for value, champion in values.items():
            compared += 1
            challenger = evaluation["slices"].get(column, {}).get(value)
            reason = _slice_fault(f"{column}={value}", champion, challenger, allowed)
            if reason:
                failed += 1
                yield Finding(passed=False, reason=reason)
    if compared and not failed:
        yield Finding(
            passed=True,
            reason=f"On none of {compared} slices is the log loss worse than the champion's "
            f"by more than {_number(allowed)}.",
        )


def _slice_fault(name: str, champion: Metrics, challenger: Metrics | None, allowed: float) -> str:
    if challenger is None:
        return f"Slice {name} was measured for the champion, but not for the challenger."
    loss = challenger["log_loss"] - champion["log_loss"]
    if loss <= allowed:
        return ""
    return (
        f"On slice {name} the log loss is {_number(challenger['log_loss'])} against the champion's "
        f"{_number(champion['log_loss'])}: worse by {_number(loss)}, "
        f"allowed is {_number(allowed)}."
    )


def _at_least(name: str, value: float, limit: float) -> Finding:
    passed = value >= limit
    word = "reaches" if passed else "is below"
    return Finding(passed, f"{name} {_number(value)} {word} the required {_number(limit)}.")


def _at_most(name: str, value: float, limit: float) -> Finding:
    passed = value <= limit
    word = "keeps" if passed else "is above"
    return Finding(passed, f"{name} {_number(value)} {word} the limit {_number(limit)}.")


def _number(value: float) -> str:
    return f"{value:.6g}"
