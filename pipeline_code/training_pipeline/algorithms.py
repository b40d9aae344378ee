"""What each algorithm is trained with when a member says nothing else, and what it may not change.

Standard library only: functions plan jobs with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline_code.training_pipeline.contract import ALGORITHM_MODES, Mode

Value = str | int | float | bool

ROUNDS = "rounds"
"""Trees of our own LightGBM training; a parameter like the others."""

DEFAULTS: Mapping[str, Mapping[str, Value]] = {
    "lightgbm": {
        ROUNDS: 100,
        "num_leaves": 31,
        "learning_rate": 0.1,
        "min_data_in_leaf": 200,
        "feature_fraction": 0.5,
        "lambda_l2": 5.0,
        "cat_smooth": 50,
    },
    "xgboost": {
        "num_round": 100,
        "eta": 0.1,
        "max_depth": 5,
        "min_child_weight": 20,
        "colsample_bytree": 0.5,
        "lambda": 5,
        "tree_method": "hist",
    },
    "linear-learner": {"epochs": 15, "mini_batch_size": 1000, "learning_rate": 0.01, "wd": 0.0001},
    "sklearn": {"l2": 100.0, "max_iter": 200},
}
"""A member's own parameters for its algorithm are laid over these."""

FIXED: Mapping[str, Mapping[str, Value]] = {
    "xgboost": {"objective": "binary:logistic", "eval_metric": "auc,logloss"},
    "linear-learner": {
        "predictor_type": "binary_classifier",
        "loss": "logistic",
        "feature_dim": "auto",
        "normalize_data": False,
    },
}
"""A member answers log odds, and its inputs are standardised by the preparation already."""

MIN_ROUNDS = 1


@dataclass(frozen=True)
class Algorithm:
    """How a member gets its model; ``uri`` and ``sha256`` in mode D, ``arn`` in modes E and F."""

    name: str
    uri: str = ""
    sha256: str = ""
    arn: str = ""

    @property
    def mode(self) -> Mode:
        """Which of SageMaker's ways it is."""
        return ALGORITHM_MODES[self.name]


def algorithm_of(value: object) -> Algorithm:
    """Give the checked value of ``algorithm`` its type."""
    if isinstance(value, str):
        return Algorithm(value)
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} was not checked against the schema")
    ((name, detail),) = value.items()
    if isinstance(detail, dict):
        return Algorithm(name, uri=detail["uri"], sha256=detail["sha256"])
    return Algorithm(name, arn=str(detail))
