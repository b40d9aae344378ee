"""The rules of the verdict; each gives a sentence with the numbers that decided."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lambdas.training_pipeline.contract import RuleFinding
from pipeline_code.training_pipeline.contract import Evaluation, Gain, Gate, Metrics

NOT_MEASURED = "was not measured, which its limit needs"


def findings(evaluation: Evaluation, gate: Gate) -> list[RuleFinding]:
    """Apply every rule."""
    return [
        *_limits(evaluation, gate),
        *_without_source(evaluation, gate),
        *_fairness(evaluation, gate),
        *_against_champion(evaluation, gate),
        *_slices(evaluation, gate),
        *_members(evaluation, gate),
    ]


def _limits(evaluation: Evaluation, gate: Gate) -> Iterator[RuleFinding]:
    metrics = evaluation["challenger"]
    size, latency = evaluation["model_size_bytes"], evaluation["latency_ms_p50"]
    yield _at_least("min_auc", "AUC", metrics["auc"], gate["min_auc"])
    yield _at_most("max_log_loss", "Log loss", metrics["log_loss"], gate["max_log_loss"])
    yield _at_most("max_brier", "Brier score", metrics["brier"], gate["max_brier"])
    yield _at_most("max_ece", "Calibration error", metrics["ece"], gate["max_ece"])
    limit = gate["max_model_size_bytes"]
    yield _at_most("max_model_size_bytes", "Model size in bytes", size, limit)
    limit_ms = gate["max_latency_ms_p50"]
    yield _at_most("max_latency_ms_p50", "Median latency in ms", latency, limit_ms)


def _without_source(evaluation: Evaluation, gate: Gate) -> Iterator[RuleFinding]:
    for source, limits in gate.get("without_source", {}).items():
        rule = f"without_source.{source}"
        metrics = evaluation["without_source"].get(source)
        if metrics is None:
            yield _unmeasured(rule, f"Quality without the source {source}")
            continue
        name = f"without the source {source}"
        yield _at_least(f"{rule}.min_auc", f"AUC {name}", metrics["auc"], limits["min_auc"])
        yield _at_most(
            f"{rule}.max_log_loss",
            f"Log loss {name}",
            metrics["log_loss"],
            limits["max_log_loss"],
        )


def _fairness(evaluation: Evaluation, gate: Gate) -> Iterator[RuleFinding]:
    if "max_calibration_gap" not in gate:
        return
    measured = evaluation.get("fairness", {})
    if not measured:
        yield _unmeasured("max_calibration_gap", "Fairness between declared groups")
    for column, fairness in measured.items():
        yield _at_most(
            f"max_calibration_gap.{column}",
            f"Calibration gap between groups of {column}",
            fairness["max_calibration_gap"],
            gate["max_calibration_gap"],
        )


def _against_champion(evaluation: Evaluation, gate: Gate) -> Iterator[RuleFinding]:
    champion = evaluation.get("champion")
    if champion is None:
        yield _finding("min_gain", True, "No model is serving yet: there is no champion to beat.")
        return
    challenger = evaluation["challenger"]
    gain = champion["log_loss"] - challenger["log_loss"]
    needed = gate["min_gain_log_loss"]
    passed = gain >= needed
    word = "a gain of" if gain >= 0 else "worse by"
    yield _finding(
        "min_gain_log_loss",
        passed,
        f"Log loss {_number(challenger['log_loss'])} against the champion's "
        f"{_number(champion['log_loss'])}: {word} {_number(abs(gain))}, "
        f"{'enough' if passed else 'too little'} for the required {_number(needed)}.",
        gain,
        needed,
    )
    if passed and "min_gain_chance" in gate:
        yield _beyond_noise(evaluation, gate["min_gain_chance"])


def _beyond_noise(evaluation: Evaluation, needed: float) -> RuleFinding:
    comparison = evaluation.get("comparison")
    gain = comparison["metrics"].get("log_loss") if comparison else None
    if gain is None:
        return _unmeasured("min_gain_chance", "The uncertainty of the gain")
    passed = gain["chance"] >= needed
    word = "beyond noise" if passed else "within noise"
    return _finding(
        "min_gain_chance",
        passed,
        f"The gain in log loss is {word}: {_number(gain['gain'])}, 95 % interval "
        f"{_number(gain['low'])} to {_number(gain['high'])}, above 0 in {gain['chance']:.1%} of "
        f"the resampled days, required are {needed:.1%}.",
        gain["chance"],
        needed,
        asks=not passed,
    )


def _slices(evaluation: Evaluation, gate: Gate) -> Iterator[RuleFinding]:
    allowed = gate["max_slice_loss_log_loss"]
    compared, failed = 0, 0
    gains = evaluation["comparison"]["slices"] if "comparison" in evaluation else {}
    for column, values in evaluation.get("champion_slices", {}).items():
        for value, champion in values.items():
            compared += 1
            challenger = evaluation["slices"].get(column, {}).get(value)
            gain = gains.get(column, {}).get(value)
            found = _slice(f"{column}={value}", champion, challenger, allowed, gain)
            if found:
                failed += 1
                yield found
    if compared and not failed:
        yield _finding(
            "max_slice_loss_log_loss",
            True,
            f"On none of {compared} slices is the log loss worse than the champion's "
            f"by more than {_number(allowed)}.",
            None,
            allowed,
        )


def _slice(
    name: str, champion: Metrics, challenger: Metrics | None, allowed: float, gain: Gain | None
) -> RuleFinding | None:
    rule = f"max_slice_loss_log_loss.{name}"
    if challenger is None:
        reason = f"Slice {name} was measured for the champion, but not for the challenger."
        return _finding(rule, False, reason)
    loss = challenger["log_loss"] - champion["log_loss"]
    if loss <= allowed:
        return None
    chance = gain is not None and gain["high"] >= 0
    return _finding(
        rule,
        False,
        f"On slice {name} the log loss is {_number(challenger['log_loss'])} against the champion's "
        f"{_number(champion['log_loss'])}: worse by {_number(loss)}, "
        f"allowed is {_number(allowed)}" + ("; that may be chance." if chance else "."),
        loss,
        allowed,
        asks=chance,
    )


def _members(evaluation: Evaluation, gate: Gate) -> Iterator[RuleFinding]:
    if "max_member_loss_auc" not in gate or "champion" not in evaluation:
        return
    allowed = gate["max_member_loss_auc"]
    comparison = evaluation.get("comparison")
    if comparison is None:
        yield _unmeasured("max_member_loss_auc", "Each member against the champion's")
        return
    for name, gain in comparison["members"].items():
        passed = gain >= -allowed
        change = f"better by {_number(gain)}" if gain >= 0 else f"worse by {_number(-gain)}"
        yield _finding(
            f"max_member_loss_auc.{name}",
            passed,
            f"Member {name}'s AUC is {change} than the champion's member; "
            f"allowed is a loss of {_number(allowed)}.",
            -gain,
            allowed,
        )


def _at_least(rule: str, name: str, value: float, limit: float) -> RuleFinding:
    passed = value >= limit
    word = "reaches" if passed else "is below"
    reason = f"{name} {_number(value)} {word} the required {_number(limit)}."
    return _finding(rule, passed, reason, value, limit)


def _at_most(rule: str, name: str, value: float, limit: float) -> RuleFinding:
    passed = value <= limit
    word = "keeps" if passed else "is above"
    reason = f"{name} {_number(value)} {word} the limit {_number(limit)}."
    return _finding(rule, passed, reason, value, limit)


def _unmeasured(rule: str, name: str) -> RuleFinding:
    return _finding(rule, False, f"{name} {NOT_MEASURED}.")


def _finding(
    rule: str,
    passed: bool,
    reason: str,
    value: float | None = None,
    limit: float | None = None,
    *,
    asks: bool = False,
) -> RuleFinding:
    finite = value is not None and math.isfinite(value)
    return {
        "rule": rule,
        "passed": passed,
        "value": value if finite else None,
        "limit": limit,
        "broken_means": "needs_approval" if asks else "rejected",
        "reason": reason,
    }


def _number(value: float) -> str:
    return f"{value:.6g}"
