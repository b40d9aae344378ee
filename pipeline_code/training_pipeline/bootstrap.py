"""Uncertainty by bootstrap: whole days are drawn, because rows of one day hang together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline_code.training_pipeline.contract import Gain, Interval
from pipeline_code.training_pipeline.metrics import ECE_BINS, losses

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

LOW, HIGH = 2.5, 97.5
HIGHER_IS_BETTER = ("auc", "pr_auc")


@dataclass(frozen=True)
class Days:
    """The day of each row, as an index, and how often each sample drew each day."""

    of_row: Indices
    draws: npt.NDArray[np.int64]
    """One row a sample, one column a day."""

    @classmethod
    def draw(cls, days: npt.NDArray[np.generic], samples: int, seed: int) -> Days:
        """Draw samples of as many days as there are, with replacement."""
        names, of_row = np.unique(days, return_inverse=True)
        count = len(names)
        chosen = np.random.default_rng(seed).integers(0, count, (samples, count))
        draws = np.stack([np.bincount(sample, minlength=count) for sample in chosen])
        return cls(of_row, draws)

    def mean(self, values: Floats, chosen: npt.NDArray[np.bool_] | None = None) -> Floats:
        """Give each sample's mean of a value a row, over all rows or the chosen ones."""
        weight = np.ones(len(values)) if chosen is None else chosen.astype(np.float64)
        count = self.draws.shape[1]
        total = np.bincount(self.of_row, weights=values * weight, minlength=count)
        rows = np.bincount(self.of_row, weights=weight, minlength=count)
        return np.asarray((self.draws @ total) / np.maximum(self.draws @ rows, 1.0))


def sampled_metrics(days: Days, label: Floats, probability: Floats) -> dict[str, Floats]:
    """Compute every metric on every sample."""
    log_losses, squares = losses(label, probability)
    auc, pr_auc = _ranking(days, label, probability)
    return {
        "auc": auc,
        "pr_auc": pr_auc,
        "log_loss": days.mean(log_losses),
        "brier": days.mean(squares),
        "ece": _calibration(days, label, probability),
    }


def interval(samples: Floats) -> Interval:
    """Give the middle 95 % of the samples."""
    low, high = np.percentile(samples, [LOW, HIGH])
    return {"low": float(low), "high": float(high)}


def gain_of(gain: float, samples: Floats) -> Gain:
    """Put a gain beside its samples'."""
    return {"gain": gain, **interval(samples), "chance": float(np.mean(samples > 0))}


def gains(
    metrics: tuple[Mapping[str, float], Mapping[str, float]],
    samples: tuple[Mapping[str, Floats], Mapping[str, Floats]],
    names: tuple[str, ...] = ("auc", "log_loss", "brier"),
) -> dict[str, Gain]:
    """Compare challenger with champion, in this order; the samples drew the same days."""
    found = {}
    for name in names:
        sign = 1.0 if name in HIGHER_IS_BETTER else -1.0
        found[name] = gain_of(
            sign * (metrics[0][name] - metrics[1][name]),
            sign * (samples[0][name] - samples[1][name]),
        )
    return found


def _ranking(days: Days, label: Floats, probability: Floats) -> tuple[Floats, Floats]:
    """Sort once, then weigh rows by how often their day was drawn."""
    order = np.argsort(-probability, kind="stable")
    last_of_tie = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))
    positive, day = label[order], days.of_row[order]
    areas, precisions = [], []
    for draw in days.draws:
        weight = draw[day]
        hits = np.cumsum(weight * positive)[last_of_tie]
        seen = np.cumsum(weight)[last_of_tie].astype(np.float64)
        areas.append(_area(hits, seen - hits))
        steps = np.diff(hits, prepend=0.0)
        precisions.append(float(np.sum(steps * hits / np.maximum(seen, 1))) / max(hits[-1], 1.0))
    return np.array(areas), np.array(precisions)


def _area(hits: Floats, misses: Floats) -> float:
    """Integrate the ROC curve by trapezoids, so that ties count half."""
    if not hits[-1] or not misses[-1]:
        return 0.5
    middle = hits - np.diff(hits, prepend=0.0) / 2
    return float(np.sum(np.diff(misses, prepend=0.0) * middle)) / float(hits[-1] * misses[-1])


def _calibration(days: Days, label: Floats, probability: Floats) -> Floats:
    """Keep the bins of all rows, so that a sample only weighs them."""
    order = np.argsort(probability, kind="stable")
    total = np.zeros(len(days.draws))
    for part in np.array_split(order, ECE_BINS):
        inside = np.zeros(len(label))
        inside[part] = probability[part] - label[part]
        total += np.abs(days.mean(inside))
    return total
