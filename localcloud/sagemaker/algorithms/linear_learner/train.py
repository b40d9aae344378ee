"""Training of the Linear Learner container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from localcloud.sagemaker.algorithms.container import Channel, Container, UserError, log
from localcloud.sagemaker.algorithms.linear_learner.artefact import Description, LinearModel
from localcloud.sagemaker.algorithms.linear_learner.fit import (
    EpochReport,
    Rows,
    Weights,
    fit,
    learning_rates,
    mean_loss,
)
from localcloud.sagemaker.algorithms.linear_learner.losses import Array, loss_of, sigmoid, softmax
from localcloud.sagemaker.algorithms.linear_learner.quality import (
    OBJECTIVES,
    best_threshold,
    quality,
)
from localcloud.sagemaker.algorithms.linear_learner.schema import (
    BINARY,
    MULTICLASS,
    REGRESSOR,
    parse,
)
from localcloud.sagemaker.algorithms.tables import CSV, RECORDIO, read_channel

CONTENT_TYPES = (RECORDIO, CSV)
CHANNELS = ("train", "validation", "test")
HOST = "algo-1"


def main(container: Container) -> None:
    """Train the models, keep the best, measure it, save it."""
    values = parse(container.hyperparameters())
    channels = container.channels()
    if "train" not in channels:
        raise UserError(f"Channel train is required; the request has {sorted(channels)}")
    if set(channels) - set(CHANNELS):
        raise UserError(f"Channels are {', '.join(CHANNELS)}, not {sorted(channels)}")
    data = {name: _rows(channels[name], values) for name in CHANNELS if name in channels}
    scaler = _Scaler.of(values, data["train"])
    weights = _best(values, {name: scaler.scaled(rows) for name, rows in data.items()})
    raw = scaler.unscaled(weights)
    calibration = data.get("validation", data["train"])
    threshold = _threshold(values, raw, calibration)
    for name, rows in data.items():
        _report(values, name, raw, rows, threshold)
    description = Description(
        predictor_type=values["predictor_type"],
        feature_dim=raw.weight.shape[1],
        num_classes=values.get("num_classes", 2 if values["predictor_type"] == BINARY else 1),
        threshold=threshold,
        loss=values["loss"],
    )
    model = LinearModel(raw.weight.astype(np.float32), raw.bias.astype(np.float32), description)
    model.save(container.model_folder)
    log("All workers finished. Serializing model for prediction.")


def scores_of(kind: str, loss: str, raw: Array) -> Array:
    """Turn raw scores into the scores that the model answers with."""
    if kind == MULTICLASS:
        return softmax(raw)
    return sigmoid(raw) if loss == "logistic" else raw


def _rows(channel: Channel, values: Mapping[str, Any]) -> Rows:
    table = read_channel(channel, RECORDIO, CONTENT_TYPES)
    width = table.features.shape[1]
    wanted = values.get("feature_dim", "auto")
    if wanted not in ("auto", width):
        raise UserError(
            f"Hyperparameter feature_dim is {wanted}, but channel {channel.name} has {width} "
            "features"
        )
    labels = table.labels.astype(np.float64)
    _check_labels(channel.name, labels, values)
    weights = np.ones(len(labels))
    heavier = values["positive_example_weight_mult"]
    if values["predictor_type"] == BINARY:
        positive = labels.sum()
        balanced = (len(labels) - positive) / max(positive, 1.0)
        weights[labels == 1] = balanced if heavier == "balanced" else heavier
    features = np.nan_to_num(table.features.astype(np.float64), nan=0.0)
    log(f"{channel.name}: {len(labels)} examples with {width} features")
    return Rows(features, labels, weights)


def _check_labels(channel: str, labels: Array, values: Mapping[str, Any]) -> None:
    if not np.isfinite(labels).all():
        raise UserError(f"Channel {channel} has a label that is missing or infinite")
    if values["predictor_type"] == REGRESSOR:
        return
    classes = values.get("num_classes", 2)
    wrong = labels[(labels < 0) | (labels >= classes) | (labels != np.floor(labels))]
    if len(wrong):
        raise UserError(
            f"Channel {channel} has the label {wrong[0]:g}; labels of a "
            f"{values['predictor_type']} are 0 to {classes - 1}"
        )


@dataclass(frozen=True)
class _Scaler:
    """How features and label were made comparable for the training."""

    mean: Array
    deviation: Array
    label_mean: float
    label_deviation: float

    @classmethod
    def of(cls, values: Mapping[str, Any], rows: Rows) -> _Scaler:
        sample = rows.features[: values["num_point_for_scaler"]]
        labels = rows.labels[: values["num_point_for_scaler"]]
        width = sample.shape[1]
        mean, deviation = np.zeros(width), np.ones(width)
        if values["normalize_data"] == "true":
            mean, spread = sample.mean(axis=0), sample.std(axis=0)
            deviation = np.where(spread > 0, spread, 1.0)
        if values["normalize_label"] != "true" or values["predictor_type"] != REGRESSOR:
            return cls(mean, deviation, 0.0, 1.0)
        return cls(mean, deviation, float(labels.mean()), float(labels.std()) or 1.0)

    def scaled(self, rows: Rows) -> Rows:
        features = (rows.features - self.mean) / self.deviation
        labels = (rows.labels - self.label_mean) / self.label_deviation
        return Rows(features, labels, rows.weights)

    def unscaled(self, weights: Weights) -> Weights:
        """Return the weights that hold for features and labels as they came."""
        weight = weights.weight / self.deviation * self.label_deviation
        bias = weights.bias * self.label_deviation + self.label_mean
        return Weights(weight, bias - weight @ self.mean)


def _best(values: dict[str, Any], data: Mapping[str, Rows]) -> Weights:
    rates = learning_rates(values)
    silent: EpochReport = lambda *_: None  # noqa: E731 - one line of log for one model only
    fitted = []
    for number, rate in enumerate(rates):
        report = _epoch_report(values) if number == 0 else silent
        fitted.append(fit(values, data["train"], data.get("validation"), rate, report))
    losses = [loss for _, loss in fitted]
    best = int(np.nanargmin(losses))
    log(f"#best model: {best} of {len(rates)}, learning rate {rates[best]:g}")
    return fitted[best][0]


def _epoch_report(values: Mapping[str, Any]) -> EpochReport:
    objective = OBJECTIVES[values["loss"]]

    def report(epoch: int, train: float, validation: float | None) -> None:
        both = {"train": train, "validation": validation}
        for name, value in both.items():
            if value is not None:
                log(
                    f"#quality_metric: host={HOST}, epoch={epoch}, {name} {objective} "
                    f"<loss>={value!r}"
                )
        current = train if validation is None else validation
        log(
            f"#early_stopping_criteria_metric: host={HOST}, epoch={epoch}, "
            f"criteria={objective}, value={current!r}"
        )
        done = 100 * (epoch + 1) / values["epochs"]
        log(f"#progress_metric: host={HOST}, completed {done:g} % of epochs")

    return report


def _threshold(values: dict[str, Any], weights: Weights, rows: Rows) -> float:
    if values["predictor_type"] != BINARY:
        return 0.0
    limit = values["num_calibration_samples"]
    raw = weights.raw(rows.features[:limit])
    scores = scores_of(BINARY, values["loss"], raw)
    return best_threshold(scores[:, 0], rows.labels[:limit], values)


def _report(
    values: dict[str, Any], name: str, weights: Weights, rows: Rows, threshold: float
) -> None:
    kind, raw = values["predictor_type"], weights.raw(rows.features)
    measured = quality(
        kind, scores_of(kind, values["loss"], raw), rows.labels, threshold, values["f_beta"]
    )
    objective = ("loss", mean_loss(loss_of(values), weights, rows))
    for metric, (word, value) in {OBJECTIVES[values["loss"]]: objective, **measured}.items():
        log(f"#{name}_score ({HOST}) : ('{metric}', {value!r})")
        log(f"#quality_metric: host={HOST}, {name} {metric} <{word}>={value!r}")
