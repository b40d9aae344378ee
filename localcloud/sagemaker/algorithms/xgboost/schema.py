"""Hyperparameters of the XGBoost algorithm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.sagemaker.algorithms.container import UserError
from localcloud.sagemaker.algorithms.hyperparameters import (
    Choice,
    Number,
    Parse,
    Pattern,
    Words,
    integer,
    read,
)

OBJECTIVES = (
    *("binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson"),
    *("multi:softmax", "multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map"),
    *("reg:squarederror", "reg:logistic", "reg:gamma", "reg:pseudohubererror"),
    *("reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox"),
)
MAXIMISED = ("auc", "aucpr", "map", "ndcg", "pre")
MINIMISED = (
    *("aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "logloss", "mae"),
    *("mape", "merror", "mlogloss", "mphe", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik"),
)
METRICS = (*MAXIMISED, *MINIMISED)
_WITH_THRESHOLD = ("error", "ndcg", "map", "pre", "tweedie-nloglik")
_CHANNELS = ("train", "validation")
_SHARE = Number(0, 1, open_low=True)
_POSITIVE = Number(0)
_FLAG = integer(0, 1)


def _is_metric(word: str) -> bool:
    name, at, threshold = word.partition("@")
    number = threshold.removesuffix("-").replace(".", "", 1)
    return name in METRICS and (not at or (name in _WITH_THRESHOLD and number.isdigit()))


# What goes to the library under the same name.
BOOSTER: dict[str, Parse] = {
    "objective": Choice(OBJECTIVES),
    "num_class": integer(2),
    "booster": Choice(("gbtree", "gblinear", "dart")),
    "verbosity": integer(0, 3),
    "nthread": integer(1),
    "eta": Number(0, 1),
    "gamma": _POSITIVE,
    "max_depth": integer(0),
    "min_child_weight": _POSITIVE,
    "max_delta_step": _POSITIVE,
    "subsample": _SHARE,
    "colsample_bytree": _SHARE,
    "colsample_bylevel": _SHARE,
    "colsample_bynode": _SHARE,
    "lambda": _POSITIVE,
    "alpha": _POSITIVE,
    "tree_method": Choice(("auto", "exact", "approx", "hist")),
    "scale_pos_weight": Number(0, open_low=True),
    "updater": Pattern(r"[a-z_]+(,[a-z_]+)*", "names of updaters separated by commas"),
    "refresh_leaf": _FLAG,
    "process_type": Choice(("default", "update")),
    "grow_policy": Choice(("depthwise", "lossguide")),
    "max_leaves": integer(0),
    "max_bin": integer(2),
    "num_parallel_tree": integer(1),
    "sampling_method": Choice(("uniform",)),
    "monotone_constraints": Pattern(
        r"\(\s*-?[01](\s*,\s*-?[01])*\s*,?\s*\)", "a tuple such as (1,0,-1)"
    ),
    "interaction_constraints": Pattern(r"\[[\d\s,\[\]]*\]", "a nested list such as [[0,1],[2]]"),
    "sample_type": Choice(("uniform", "weighted")),
    "normalize_type": Choice(("tree", "forest")),
    "rate_drop": Number(0, 1),
    "one_drop": _FLAG,
    "skip_drop": Number(0, 1),
    "tweedie_variance_power": Number(1, 2, open_low=True, open_high=True),
    "huber_slope": Number(0, open_low=True),
    "base_score": Number(0),
    "seed": integer(-(2**31), 2**31 - 1),
    "seed_per_iteration": Choice(("true", "false")),
    "aft_loss_distribution": Choice(("normal", "logistic", "extreme")),
    "aft_loss_distribution_scale": Number(0, open_low=True),
    "deterministic_histogram": Choice(("true", "false")),
}
# What steers the container.
_OWN: dict[str, Parse] = {
    "num_round": integer(1),
    "early_stopping_rounds": integer(1),
    "eval_metric": Words(
        _is_metric, f"of {', '.join(METRICS)}, those of {', '.join(_WITH_THRESHOLD)} also with @t"
    ),
    "csv_weights": _FLAG,
    "save_model_on_termination": Choice(("true", "false")),
    "_tuning_objective_metric": Choice([f"{c}:{m}" for c in _CHANNELS for m in METRICS]),
}
# Of version 3 the library itself no longer knows them: the old containers took them.
_OLD = {"predictor", "sketch_eps", "dsplit", "lambda_bias", "single_precision_histogram"}
_ALSO_KNOWN_AS = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_lambda": "lambda",
    "reg_alpha": "alpha",
}


def parse(given: Mapping[str, str]) -> dict[str, Any]:
    """Read and check hyperparameters, each and against each other."""
    for name in _OLD & set(given):
        raise UserError(
            f"Hyperparameter {name}: the embedded AWS runs XGBoost 3, which no longer has it"
        )
    if given.get("tree_method") == "gpu_hist" or "device" in given:
        raise UserError("The embedded AWS has no GPU: leave out device and tree_method gpu_hist")
    named = {_ALSO_KNOWN_AS.get(name, name): text for name, text in given.items()}
    values = read(named, {**BOOSTER, **_OWN}, ["num_round"])
    _check_together(values)
    return values


def _check_together(values: Mapping[str, Any]) -> None:
    objective = values.get("objective", "reg:squarederror")
    classes = values.get("num_class")
    if objective.startswith("multi:") and classes is None:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    if classes is not None and not objective.startswith("multi:"):
        raise UserError(
            "Do not need to setup parameter 'num_class' for learning task other than "
            "multi-classification."
        )
    if "auc" in values.get("eval_metric", []) and not objective.startswith(
        ("binary:", "rank:", "multi:")
    ):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
