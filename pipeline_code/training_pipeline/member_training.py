"""Train one member: out-of-fold models over expanding windows, then the final model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from pipeline_code.inference.booster import Booster
from pipeline_code.inference.ensemble import any_known
from pipeline_code.training_pipeline.additive import blocks_of, carve, joint_matrix
from pipeline_code.training_pipeline.algorithms import ROUNDS
from pipeline_code.training_pipeline.checkpoints import Checkpoints
from pipeline_code.training_pipeline.dataset import Matrix, Rows
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig, Member
from pipeline_code.training_pipeline.metrics import metrics_of, sigmoid

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Progress = Callable[[str], None]

THREADS_LINE = re.compile(r"^\[num_threads: \d+\]$", re.MULTILINE)


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
    config: EnsembleConfig,
    member: Member,
    rows: Rows,
    *,
    threads: int,
    progress: Progress,
    checkpoints: Checkpoints,
) -> TrainedMember:
    """Train a member on the training months; ``rows`` holds the train and validation splits."""
    matrix, label, period = rows.matrix(member.inputs), rows.label, rows.period
    learning = _together(config, member, rows) if config.additive else _alone(config, member, rows)
    parameters = _parameters(config, learning.parameters, threads)
    known = any_known(rows.matrix(config.evidence_of(member)))
    train = np.asarray([month in config.split["train"] for month in period.tolist()])
    scores = np.full(len(rows), np.nan)

    def model_of(past: Mask, months: list[str]) -> str:
        return checkpoints.model(
            _facts(config, member, months),
            lambda: learning.model(_fit(learning, past & learning.rows, label, parameters)),
        )

    final = ""
    for window in config.out_of_fold:
        past = period <= window.train_through
        ahead = (period > window.train_through) & (period <= window.score_through)
        _demand_rows(past & known, ahead, window.train_through, window.score_through)
        text = model_of(past, sorted(set(period[past].tolist())))
        scores[ahead] = Booster(text).raw_scores(matrix[ahead])
        if np.array_equal(past, train):
            final = text  # training is deterministic: the same rows would give it again
        progress(
            f"out of fold: trained through {window.train_through}, "
            f"scored {int(ahead.sum())} rows through {window.score_through}"
        )
    final = final or model_of(train, sorted(set(period[train].tolist())))
    progress(f"final model: {int((train & known).sum())} rows, {learning.parameters[ROUNDS]} trees")
    scored = np.flatnonzero(~np.isnan(scores) & known)
    metrics = metrics_of(label[scored], sigmoid(scores[scored]))
    check_gate(member, metrics["auc"], "out of fold")
    return TrainedMember(
        model_text=final,
        out_of_fold_rows=np.flatnonzero(~np.isnan(scores)),
        out_of_fold_scores=scores[~np.isnan(scores)],
        metrics={name: float(value) for name, value in metrics.items()},  # type: ignore[arg-type]
    )


@dataclass(frozen=True)
class _Learning:
    """What a model learns from: its own columns, or those of all members."""

    matrix: Matrix
    rows: Mask
    """Those that tell it something."""
    categorical: list[int]
    parameters: Mapping[str, Any]
    model: Callable[[str], str]
    """Makes the member's model of what was fitted."""


def _alone(config: EnsembleConfig, member: Member, rows: Rows) -> _Learning:
    return _Learning(
        matrix=rows.matrix(member.inputs),
        rows=any_known(rows.matrix(config.evidence_of(member))),
        categorical=_categorical(config, member.inputs),
        parameters=member.parameters,
        model=lambda text: text,
    )


def _together(config: EnsembleConfig, member: Member, rows: Rows) -> _Learning:
    """Learn with all members in one model, of which the member keeps its own trees."""
    blocks = blocks_of(config.members)
    inputs = [name for one in config.members for name in one.inputs]
    constraints = [block.columns for block in blocks.values()]
    return _Learning(
        matrix=joint_matrix(config.members, rows),
        rows=np.ones(len(rows), dtype=np.bool_),
        categorical=_categorical(config, inputs),
        parameters={**(config.additive or {}), "interaction_constraints": constraints},
        model=lambda text: carve(text, member.name, blocks[member.name]),
    )


def _categorical(config: EnsembleConfig, inputs: Sequence[str]) -> list[int]:
    return [index for index, name in enumerate(inputs) if name in config.categorical]


def _facts(config: EnsembleConfig, member: Member, months: list[str]) -> dict[str, object]:
    """Name what a model's bytes depend on besides its dataset; threads are not among it."""
    return {
        "library": lightgbm.__version__,
        "seed": config.seed,
        "parameters": dict(member.parameters),
        "inputs": list(member.inputs),
        "evidence": list(config.evidence_of(member)),
        "categorical": sorted(config.categorical & set(member.inputs)),
        "months": months,
        "additive": config.additive and [dict(config.additive), _inputs_of_all(config)],
    }


def _inputs_of_all(config: EnsembleConfig) -> list[list[str]]:
    return [list(member.inputs) for member in config.members]


def _parameters(
    config: EnsembleConfig, parameters: Mapping[str, Any], threads: int
) -> dict[str, Any]:
    return {
        **{name: value for name, value in parameters.items() if name != ROUNDS},
        "objective": "binary",
        "seed": config.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbosity": -1,
    }


def _fit(learning: _Learning, rows: Mask, label: Floats, parameters: dict[str, Any]) -> str:
    data = lightgbm.Dataset(
        learning.matrix[rows],
        label[rows],
        feature_name=[f"f{index}" for index in range(learning.matrix.shape[1])],
        categorical_feature=learning.categorical,
        params=parameters,
    )
    rounds = int(learning.parameters[ROUNDS])
    model = lightgbm.train(parameters, data, num_boost_round=rounds)
    # The text states the threads that it was fitted with, and nothing of the model depends on them.
    return THREADS_LINE.sub("[num_threads: 1]", str(model.model_to_string()))


def _demand_rows(past: Mask, ahead: Mask, through: str, until: str) -> None:
    if not past.any() or not ahead.any():
        raise ValueError(
            f"the out-of-fold window {through} to {until} has {int(past.sum())} rows to train on "
            f"and {int(ahead.sum())} to score; both need some: check the months in the dataset"
        )


def check_gate(member: Member, auc: float, where: str) -> None:
    """Refuse a member that ranks worse than its gate asks for."""
    if auc < member.gate.min_auc:
        raise MemberGateError(
            f"member {member.name} has AUC {auc:.4f} {where}, but its gate asks for "
            f"{member.gate.min_auc} at least"
        )
