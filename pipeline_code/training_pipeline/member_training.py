"""Train one member: out-of-fold models over expanding windows, then the final model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from pipeline_code.inference.ensemble import any_known
from pipeline_code.training_pipeline.algorithms import ROUNDS
from pipeline_code.training_pipeline.dataset import Matrix, Rows
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig, Member
from pipeline_code.training_pipeline.metrics import metrics_of, sigmoid

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Progress = Callable[[str], None]


class MemberGateError(RuntimeError):
    """The member is worse than its gate allows: it must not enter an ensemble."""


@dataclass(frozen=True)
class TrainedMember:
    """A member's final model as LightGBM text, and its raw scores of months it had not seen."""

    model_text: str
    out_of_fold_rows: npt.NDArray[np.int64]
    out_of_fold_scores: Floats
    metrics: dict[str, float]


def train_member(
    config: EnsembleConfig, member: Member, rows: Rows, *, threads: int, progress: Progress
) -> TrainedMember:
    """Train a member on the training months; ``rows`` holds the train and validation splits."""
    matrix, label, period = rows.matrix(member.inputs), rows.label, rows.period
    parameters = _parameters(config, member, threads)
    known = any_known(rows.matrix(config.evidence_of(member)))
    train = np.asarray([month in config.split["train"] for month in period.tolist()])
    scores = np.full(len(rows), np.nan)
    final: lightgbm.Booster | None = None
    for window in config.out_of_fold:
        past = period <= window.train_through
        ahead = (period > window.train_through) & (period <= window.score_through)
        _demand_rows(past & known, ahead, window.train_through, window.score_through)
        model = _fit(config, member, matrix[past & known], label[past & known], parameters)
        scores[ahead] = model.predict(matrix[ahead], raw_score=True)
        if np.array_equal(past, train):
            final = model  # training is deterministic: the same rows would give it again
        progress(
            f"out of fold: trained through {window.train_through}, "
            f"scored {int(ahead.sum())} rows through {window.score_through}"
        )
    final = final or _fit(config, member, matrix[train & known], label[train & known], parameters)
    progress(f"final model: {int((train & known).sum())} rows, {member.parameters[ROUNDS]} trees")
    scored = np.flatnonzero(~np.isnan(scores) & known)
    metrics = metrics_of(label[scored], sigmoid(scores[scored]))
    _check_gate(member, metrics["auc"])
    return TrainedMember(
        model_text=final.model_to_string(),
        out_of_fold_rows=np.flatnonzero(~np.isnan(scores)),
        out_of_fold_scores=scores[~np.isnan(scores)],
        metrics={name: float(value) for name, value in metrics.items()},  # type: ignore[arg-type]
    )


def _parameters(config: EnsembleConfig, member: Member, threads: int) -> dict[str, Any]:
    return {
        **{name: value for name, value in member.parameters.items() if name != ROUNDS},
        "objective": "binary",
        "seed": config.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbosity": -1,
    }


def _fit(
    config: EnsembleConfig,
    member: Member,
    matrix: Matrix,
    label: Floats,
    parameters: dict[str, Any],
) -> lightgbm.Booster:
    data = lightgbm.Dataset(
        matrix,
        label,
        feature_name=[f"f{index}" for index in range(len(member.inputs))],
        categorical_feature=[
            index for index, name in enumerate(member.inputs) if name in config.categorical
        ],
        params=parameters,
    )
    return lightgbm.train(parameters, data, num_boost_round=int(member.parameters[ROUNDS]))


def _demand_rows(past: Mask, ahead: Mask, through: str, until: str) -> None:
    if not past.any() or not ahead.any():
        raise ValueError(
            f"the out-of-fold window {through} to {until} has {int(past.sum())} rows to train on "
            f"and {int(ahead.sum())} to score; both need some: check the months in the dataset"
        )


def _check_gate(member: Member, auc: float) -> None:
    if auc < member.gate.min_auc:
        raise MemberGateError(
            f"member {member.name} has AUC {auc:.4f} out of fold, but its gate asks for "
            f"{member.gate.min_auc} at least"
        )
