"""Quality of probabilities against what happened."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline_code.training_pipeline.contract import CalibrationBin, Metrics

Floats = npt.NDArray[np.float64]

ECE_BINS = 10
SMALLEST = 1e-15


def sigmoid(logit: Floats) -> Floats:
    """Turn log odds into probabilities."""
    return np.asarray(1.0 / (1.0 + np.exp(-logit)), dtype=np.float64)


def metrics_of(label: Floats, probability: Floats) -> Metrics:
    """Compute all the metrics; every figure is finite, even when only one class is there."""
    return Metrics(
        auc=auc(label, probability),
        pr_auc=average_precision(label, probability),
        log_loss=log_loss(label, probability),
        brier=float(np.mean((probability - label) ** 2)),
        ece=expected_calibration_error(label, probability),
        base_rate=float(np.mean(label)),
        rows=len(label),
    )


def auc(label: Floats, probability: Floats) -> float:
    """Area under the ROC curve, ties counted half; .5 when only one class is there."""
    positives = float(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return 0.5
    _, inverse, counts = np.unique(probability, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2.0
    rank_sum = float(mean_rank[inverse][label == 1].sum())
    return (rank_sum - positives * (positives + 1) / 2.0) / (positives * negatives)


def average_precision(label: Floats, probability: Floats) -> float:
    """Area under the precision-recall curve as the mean precision at each new recall."""
    positives = float(label.sum())
    if not positives:
        return 0.0
    order = np.argsort(-probability, kind="stable")
    last_of_tie = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))
    true = np.cumsum(label[order])[last_of_tie]
    precision = true / (last_of_tie + 1.0)
    return float(np.sum(np.diff(np.concatenate(([0.0], true))) * precision) / positives)


def log_loss(label: Floats, probability: Floats) -> float:
    """Mean negative log likelihood."""
    return float(losses(label, probability)[0].mean())


def losses(label: Floats, probability: Floats) -> tuple[Floats, Floats]:
    """Give each row's log loss and squared error."""
    clipped = np.clip(probability, SMALLEST, 1 - SMALLEST)
    logs = -(label * np.log(clipped) + (1 - label) * np.log1p(-clipped))
    return np.asarray(logs, dtype=np.float64), (probability - label) ** 2


def calibration_curve(label: Floats, probability: Floats) -> list[CalibrationBin]:
    """Give the predicted and the actual rate of ten equally filled bins."""
    order = np.argsort(probability, kind="stable")
    return [
        {
            "mean_probability": float(probability[part].mean()),
            "rate": float(label[part].mean()),
            "rows": len(part),
        }
        for part in np.array_split(order, ECE_BINS)
        if len(part)
    ]


def expected_calibration_error(label: Floats, probability: Floats) -> float:
    """Mean gap between predicted and actual rate over ten equally filled bins."""
    order = np.argsort(probability, kind="stable")
    gaps = [
        abs(float(np.sum(probability[part] - label[part])))
        for part in np.array_split(order, ECE_BINS)
    ]
    return sum(gaps) / len(label)
