"""Losses of Linear Learner: value and slope, by raw score and label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Loss = Callable[[Array, Array], tuple[Array, Array]]
"""Raw scores (rows, outputs) and labels (rows) -> loss of each row and slope like the scores."""


def loss_of(values: dict[str, Any]) -> Loss:
    """Choose the loss that the hyperparameters name."""
    margin, quantile, delta = values["margin"], values["quantile"], values["huber_delta"]
    losses: dict[str, Loss] = {
        "logistic": _logistic,
        "hinge_loss": lambda z, y: _hinge(z, y, margin),
        "softmax_loss": _softmax,
        "squared_loss": lambda z, y: _residual(z, y, lambda r: r**2, lambda r: 2 * r),
        "absolute_loss": lambda z, y: _residual(z, y, np.abs, np.sign),
        "huber_loss": lambda z, y: _residual(
            z,
            y,
            lambda r: np.where(np.abs(r) <= delta, r**2 / 2, delta * (np.abs(r) - delta / 2)),
            lambda r: np.clip(r, -delta, delta),
        ),
        "quantile_loss": lambda z, y: _residual(
            z,
            y,
            lambda r: np.maximum(-quantile * r, (1 - quantile) * r),
            lambda r: np.where(r > 0, 1 - quantile, -quantile),
        ),
    }
    return losses[values["loss"]]


def sigmoid(z: Array) -> Array:
    """Map a raw score to a probability."""
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))


def softmax(z: Array) -> Array:
    """Map raw scores of classes to probabilities."""
    shifted = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _logistic(z: Array, y: Array) -> tuple[Array, Array]:
    score = z[:, 0]
    return np.logaddexp(0, score) - y * score, (sigmoid(score) - y)[:, None]


def _hinge(z: Array, y: Array, margin: float) -> tuple[Array, Array]:
    sign = 2 * y - 1
    short = margin - sign * z[:, 0]
    return np.maximum(short, 0), np.where(short > 0, -sign, 0.0)[:, None]


def _softmax(z: Array, y: Array) -> tuple[Array, Array]:
    probability = softmax(z)
    rows, classes = np.arange(len(y)), y.astype(int)
    loss = -np.log(np.maximum(probability[rows, classes], 1e-15))
    probability[rows, classes] -= 1
    return loss, probability


def _residual(
    z: Array, y: Array, value: Callable[[Array], Array], slope: Callable[[Array], Array]
) -> tuple[Array, Array]:
    residual = z[:, 0] - y
    return value(residual), slope(residual)[:, None]
