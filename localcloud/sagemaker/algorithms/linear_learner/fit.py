"""Fits a linear model by stochastic gradient descent in mini-batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from localcloud.sagemaker.algorithms.linear_learner.losses import Array, Loss, loss_of

SEED = 0  # the real algorithm is not reproducible; ours is
AUTO_LEARNING_RATES = (0.01, 0.1, 0.001)
_TINY = 1e-8

EpochReport = Callable[[int, float, float | None], None]
"""Epoch, mean training loss, mean validation loss if there is validation data."""


@dataclass(frozen=True)
class Rows:
    """Examples, with the weight of each."""

    features: Array
    labels: Array
    weights: Array


class Weights:
    """The weights and the bias; both are what an optimizer changes."""

    def __init__(self, weight: Array, bias: Array) -> None:
        self.weight = weight
        self.bias = bias

    def raw(self, features: Array) -> Array:
        """Return the raw scores of rows."""
        return np.asarray(features @ self.weight.T + self.bias)

    def copy(self) -> Weights:
        """Return a copy that later steps do not change."""
        return Weights(self.weight.copy(), self.bias.copy())


def learning_rates(values: dict[str, Any]) -> list[float]:
    """Choose the learning rate of each model that is trained; the best one is kept."""
    wanted, given = values.get("num_models", "auto"), values.get("learning_rate", "auto")
    if given != "auto":
        count = 1 if wanted == "auto" else wanted
        return [float(given) * 10 ** (-step / 2) for step in range(count)]
    count = len(AUTO_LEARNING_RATES) if wanted == "auto" else wanted
    more = (AUTO_LEARNING_RATES[0] * 2.0 ** (-step) for step in range(1, 32))
    return [*AUTO_LEARNING_RATES, *more][:count]


def fit(
    values: dict[str, Any],
    train: Rows,
    validation: Rows | None,
    learning_rate: float,
    report: EpochReport,
) -> tuple[Weights, float]:
    """Fit one model; return the weights of the best epoch and its loss."""
    random = np.random.default_rng(SEED)
    loss = loss_of(values)
    weights = _initial(values, train.features.shape[1], random)
    step = _Optimizer(values, learning_rate, weights)
    best, best_loss, patience = weights.copy(), np.inf, values["early_stopping_patience"]
    for epoch in range(values["epochs"]):
        seen = _epoch(values, train, loss, step, random)
        held_out = mean_loss(loss, weights, validation) if validation else None
        report(epoch, seen, held_out)
        current = seen if held_out is None else held_out
        better = current < best_loss * (1 - values["early_stopping_tolerance"])
        if current < best_loss:
            best, best_loss = weights.copy(), current
        patience = values["early_stopping_patience"] if better else patience - 1
        if patience == 0:
            break
    return best, float(best_loss)


def mean_loss(loss: Loss, weights: Weights, rows: Rows) -> float:
    """Return the weighted mean loss over rows."""
    each, _ = loss(weights.raw(rows.features), rows.labels)
    return float(np.average(each, weights=rows.weights))


def _initial(values: dict[str, Any], width: int, random: np.random.Generator) -> Weights:
    shape = (values.get("num_classes", 1), width)
    if values["init_method"] == "normal":
        weight = random.normal(0, values["init_sigma"], shape)
    else:
        weight = random.uniform(-values["init_scale"], values["init_scale"], shape)
    return Weights(weight, np.full(shape[0], float(values["init_bias"])))


def _epoch(
    values: dict[str, Any],
    train: Rows,
    loss: Loss,
    step: _Optimizer,
    random: np.random.Generator,
) -> float:
    total = 0.0
    for batch in _batches(len(train.labels), values["mini_batch_size"], random):
        features, importance = train.features[batch], train.weights[batch]
        each, slope = loss(step.weights.raw(features), train.labels[batch])
        slope *= (importance / importance.sum())[:, None]
        step.take(slope.T @ features, slope.sum(axis=0))
        total += float(each @ importance)
    return total / float(train.weights.sum())


def _batches(rows: int, size: int, random: np.random.Generator) -> Iterator[Any]:
    order = random.permutation(rows)
    return (order[start : start + size] for start in range(0, rows, size))


class _Optimizer:
    """Adam, or gradient descent with momentum; the learning rate falls in steps."""

    def __init__(self, values: dict[str, Any], learning_rate: float, weights: Weights) -> None:
        self.weights = weights
        self._values = values
        self._rate = learning_rate
        self._count = 0
        self._moments = [np.zeros((2, *each.shape)) for each in (weights.weight, weights.bias)]

    def take(self, weight_slope: Array, bias_slope: Array) -> None:
        """Take one step."""
        values = self._values
        self._count += 1
        rate = self._scheduled()
        shrink = values["wd"] * self.weights.weight + values["l1"] * np.sign(self.weights.weight)
        self.weights.weight -= rate * self._direction(0, weight_slope + shrink)
        if values["use_bias"] == "true":
            shrunk = bias_slope + values["wd"] * values["bias_wd_mult"] * self.weights.bias
            self.weights.bias -= rate * values["bias_lr_mult"] * self._direction(1, shrunk)

    def _scheduled(self) -> float:
        values = self._values
        if values["use_lr_scheduler"] == "false":
            return self._rate
        falls = self._count // values["lr_scheduler_step"]
        lowest = min(self._rate, values["lr_scheduler_minimum_lr"])
        return float(max(lowest, self._rate * values["lr_scheduler_factor"] ** falls))

    def _direction(self, which: int, slope: Array) -> Array:
        first, second = self._moments[which]
        if self._values["optimizer"] == "sgd":
            first *= self._values["momentum"]
            first += slope
            return np.asarray(first)
        beta_1, beta_2 = self._values["beta_1"], self._values["beta_2"]
        first *= beta_1
        first += (1 - beta_1) * slope
        second *= beta_2
        second += (1 - beta_2) * slope**2
        corrected = second / (1 - beta_2**self._count)
        return np.asarray(first / (1 - beta_1**self._count) / (np.sqrt(corrected) + _TINY))
