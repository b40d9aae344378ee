"""Hyperparameters of Linear Learner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.sagemaker.algorithms.container import UserError
from localcloud.sagemaker.algorithms.hyperparameters import Choice, Number, Parse, integer, read

BINARY, MULTICLASS, REGRESSOR = "binary_classifier", "multiclass_classifier", "regressor"
LOSSES = {
    BINARY: ("logistic", "hinge_loss"),
    MULTICLASS: ("softmax_loss",),
    REGRESSOR: ("squared_loss", "absolute_loss", "huber_loss", "quantile_loss"),
}
CRITERIA = ("accuracy", "f1", "f_beta", "loss_function")
# Of the real algorithm, but not here; saying so beats ignoring them.
UNSUPPORTED = {
    "accuracy_top_k",
    "balance_multiclass_weights",
    "loss_insensitivity",
    "target_precision",
    "target_recall",
    "unbias_data",
    "unbias_label",
}
_AUTO_POSITIVE = Number(0, open_low=True, auto=True)
_AUTO_FLAG = Choice(("auto", "true", "false"))


def _weight(text: str) -> float | str:
    if text == "balanced":
        return text
    value = Number(0, open_low=True)(text)
    return float(value)


SCHEMA: dict[str, Parse] = {
    "predictor_type": Choice((BINARY, MULTICLASS, REGRESSOR)),
    "feature_dim": integer(1, auto=True),
    "num_classes": integer(3, 1_000_000),
    "mini_batch_size": integer(1),
    "epochs": integer(1),
    "learning_rate": _AUTO_POSITIVE,
    "l1": Number(0, auto=True),
    "wd": Number(0, auto=True),
    "bias_lr_mult": _AUTO_POSITIVE,
    "bias_wd_mult": Number(0, auto=True),
    "use_bias": Choice(("true", "false")),
    "optimizer": Choice(("auto", "adam", "sgd")),
    "momentum": Number(0, 1, open_high=True, auto=True),
    "beta_1": Number(0, 1, open_high=True, auto=True),
    "beta_2": Number(0, 1, open_high=True, auto=True),
    "init_method": Choice(("uniform", "normal")),
    "init_scale": Number(0, open_low=True),
    "init_sigma": Number(0, open_low=True),
    "init_bias": Number(),
    "loss": Choice(("auto", *(name for names in LOSSES.values() for name in names))),
    "margin": Number(0, open_low=True),
    "quantile": Number(0, 1, open_low=True, open_high=True),
    "huber_delta": Number(0),
    "normalize_data": _AUTO_FLAG,
    "normalize_label": _AUTO_FLAG,
    "num_models": integer(1, 32, auto=True),
    "num_point_for_scaler": integer(1),
    "num_calibration_samples": integer(1),
    "early_stopping_patience": integer(1),
    "early_stopping_tolerance": Number(0, open_low=True),
    "binary_classifier_model_selection_criteria": Choice(CRITERIA),
    "f_beta": Number(0, open_low=True),
    "positive_example_weight_mult": _weight,
    "use_lr_scheduler": Choice(("true", "false")),
    "lr_scheduler_step": integer(1, auto=True),
    "lr_scheduler_factor": Number(0, 1, open_low=True, open_high=True, auto=True),
    "lr_scheduler_minimum_lr": Number(0, open_low=True, auto=True),
    "_tuning_objective_metric": str,
}
DEFAULTS: dict[str, Any] = {
    "mini_batch_size": 1000,
    "epochs": 15,
    "optimizer": "auto",
    "init_method": "uniform",
    "init_scale": 0.07,
    "init_sigma": 0.01,
    "init_bias": 0.0,
    "margin": 1.0,
    "quantile": 0.5,
    "huber_delta": 1.0,
    "use_bias": "true",
    "num_point_for_scaler": 10_000,
    "num_calibration_samples": 10_000_000,
    "early_stopping_patience": 3,
    "early_stopping_tolerance": 0.001,
    "binary_classifier_model_selection_criteria": "accuracy",
    "f_beta": 1.0,
    "positive_example_weight_mult": 1.0,
    "use_lr_scheduler": "true",
}
AUTO: dict[str, Any] = {
    "l1": 0.0,
    "wd": 0.0,
    "bias_lr_mult": 1.0,
    "bias_wd_mult": 0.0,
    "momentum": 0.9,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "lr_scheduler_step": 100,
    "lr_scheduler_factor": 0.99,
    "lr_scheduler_minimum_lr": 1e-5,
    "normalize_data": "true",
}


def parse(given: Mapping[str, str]) -> dict[str, Any]:
    """Read and check hyperparameters; what was not given has its default."""
    for name in UNSUPPORTED & set(given):
        raise UserError(
            f"Hyperparameter {name}: the embedded AWS's linear-learner has no {name}; leave it out"
        )
    values = {**DEFAULTS, **read(given, SCHEMA, ["predictor_type"])}
    for name, value in AUTO.items():
        if values.get(name, "auto") == "auto":
            values[name] = value
    _choose_loss(values)
    _check_classes(values)
    if values.get("normalize_label", "auto") == "auto":
        values["normalize_label"] = str(values["predictor_type"] == REGRESSOR).lower()
    return values


def _choose_loss(values: dict[str, Any]) -> None:
    kind = values["predictor_type"]
    if values.get("loss", "auto") == "auto":
        values["loss"] = LOSSES[kind][0]
    if values["loss"] not in LOSSES[kind]:
        raise UserError(
            f"Hyperparameter loss: of a {kind} must be one of {', '.join(LOSSES[kind])}"
        )


def _check_classes(values: Mapping[str, Any]) -> None:
    kind = values["predictor_type"]
    if kind == MULTICLASS and "num_classes" not in values:
        raise UserError("Hyperparameter num_classes is required for a multiclass_classifier")
    if kind != MULTICLASS and "num_classes" in values:
        raise UserError(f"Hyperparameter num_classes does not belong to a {kind}")
