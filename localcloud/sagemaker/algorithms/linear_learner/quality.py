"""How good a linear model is, in the words of Linear Learner's log; and where it says yes."""

from __future__ import annotations

from typing import Any

import numpy as np

from localcloud.sagemaker.algorithms.linear_learner.losses import Array
from localcloud.sagemaker.algorithms.linear_learner.schema import BINARY, MULTICLASS

OBJECTIVES = {
    "logistic": "binary_classification_cross_entropy_objective",
    "hinge_loss": "hinge_loss_objective",
    "softmax_loss": "multiclass_cross_entropy_objective",
    "squared_loss": "mse_objective",
    "absolute_loss": "absolute_loss_objective",
    "huber_loss": "huber_loss_objective",
    "quantile_loss": "quantile_loss_objective",
}
DEFAULT_THRESHOLD = 0.5
Quality = dict[str, tuple[str, float]]
"""Metric -> whether its log line calls it a loss or a score, and its value."""


def quality(kind: str, scores: Array, labels: Array, threshold: float, beta: float) -> Quality:
    """Measure scores against labels."""
    if kind == BINARY:
        return _binary(scores[:, 0], labels, threshold, beta)
    if kind == MULTICLASS:
        accuracy = float(np.mean(scores.argmax(axis=1) == labels))
        return {"multiclass_accuracy": ("score", accuracy)}
    return _regression(scores[:, 0] - labels, labels)


def best_threshold(scores: Array, labels: Array, values: dict[str, Any]) -> float:
    """Choose the score from which the answer is 1, by the selection criterion."""
    criterion = values["binary_classifier_model_selection_criteria"]
    if criterion == "loss_function":
        return DEFAULT_THRESHOLD if values["loss"] == "logistic" else 0.0
    beta = 1.0 if criterion == "f1" else values["f_beta"]
    order = np.argsort(-scores, kind="stable")
    ranked, truth = scores[order], labels[order]
    hits, called = np.cumsum(truth), np.arange(1, len(truth) + 1)
    if criterion == "accuracy":
        goal = hits + (len(truth) - truth.sum()) - (called - hits)
    else:
        goal = (1 + beta**2) * hits / np.maximum(called + beta**2 * truth.sum(), 1)
    last_of_score = np.append(ranked[1:] != ranked[:-1], True)
    return float(ranked[np.argmax(np.where(last_of_score, goal, -np.inf))])


def _binary(scores: Array, labels: Array, threshold: float, beta: float) -> Quality:
    called = scores >= threshold
    hits = float(np.sum(called & (labels == 1)))
    precision = hits / max(1.0, float(called.sum()))
    recall = hits / max(1.0, float(labels.sum()))
    weighted = beta**2 * precision + recall
    f_beta = (1 + beta**2) * precision * recall / weighted if weighted else 0.0
    measured = {
        "binary_classification_accuracy": float(np.mean(called == (labels == 1))),
        "binary_f_beta": f_beta,
        "precision": precision,
        "recall": recall,
        "roc_auc_score": _roc_auc(scores, labels),
    }
    return {name: ("score", value) for name, value in measured.items()}


def _roc_auc(scores: Array, labels: Array) -> float:
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positive = float(labels.sum())
    negative = len(labels) - positive
    if not positive or not negative:
        return float("nan")
    won = float(ranks[labels == 1].sum()) - positive * (positive + 1) / 2
    return won / (positive * negative)


def _regression(residual: Array, labels: Array) -> Quality:
    square = float(np.mean(residual**2))
    spread = float(np.var(labels))
    measured = {
        "mse": square,
        "rmse": square**0.5,
        "mae": float(np.mean(np.abs(residual))),
        "absolute_loss": float(np.mean(np.abs(residual))),
    }
    found: Quality = {name: ("loss", value) for name, value in measured.items()}
    return {**found, "r2": ("score", 1 - square / spread if spread else float("nan"))}
