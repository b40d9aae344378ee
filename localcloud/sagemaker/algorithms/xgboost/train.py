"""Training of the XGBoost container."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import xgboost

from localcloud.sagemaker.algorithms import script_mode
from localcloud.sagemaker.algorithms.container import Channel, Container, UserError, say
from localcloud.sagemaker.algorithms.tables import CSV, LIBSVM, PARQUET, RECORDIO, read_channel
from localcloud.sagemaker.algorithms.xgboost.checkpoints import (
    Checkpoints,
    SavedModel,
    latest_checkpoint,
    save,
)
from localcloud.sagemaker.algorithms.xgboost.schema import BOOSTER, parse

MODEL = "xgboost-model"
CONTENT_TYPES = (CSV, LIBSVM, PARQUET, RECORDIO)


def main(container: Container) -> None:
    """Train, in the mode that the hyperparameters ask for."""
    if script_mode.PROGRAM in container.hyperparameters():
        script_mode.train(container, framework="sagemaker_xgboost_container.training:main")
        return
    values = parse(container.hyperparameters())
    channels = container.channels()
    if "train" not in channels:
        raise UserError(f"Channel train is required; the request has {sorted(channels)}")
    unknown = set(channels) - {"train", "validation", "code"}
    if unknown:
        raise UserError(f"Channels are train and validation, not {sorted(unknown)}")
    tables: dict[str, Any] = {
        name: _matrix(channels[name], values)
        for name in ("train", "validation")
        if name in channels
    }
    booster = _fit(container, values, tables)
    save(booster, container.model_folder / MODEL)


def _matrix(channel: Channel, values: Mapping[str, Any]) -> Any:
    table = read_channel(channel, LIBSVM, CONTENT_TYPES)
    features, weights = table.features, None
    if values.get("csv_weights"):
        weights, features = features[:, 0], np.ascontiguousarray(features[:, 1:])
    threads = int(values.get("nthread", os.cpu_count() or 1))
    say(f"INFO: {channel.name} matrix has {features.shape[0]} rows, {features.shape[1]} columns")
    return xgboost.DMatrix(features, label=table.labels, weight=weights, nthread=threads)


def _fit(container: Container, values: Mapping[str, Any], tables: Mapping[str, Any]) -> Any:
    checkpoint, done = latest_checkpoint(container.checkpoint_folder)
    if checkpoint:
        say(f"INFO: Checkpoint loaded from {checkpoint.name}")
        say(f"INFO: Resuming from iteration {done}")
    callbacks: list[Any] = [_Report(done)]
    if container.checkpoint_folder:
        callbacks.append(Checkpoints(container.checkpoint_folder, done))
    if values.get("save_model_on_termination") == "true":
        callbacks.append(SavedModel(container.model_folder / MODEL))
    if "early_stopping_rounds" in values:
        callbacks.append(
            xgboost.callback.EarlyStopping(
                rounds=values["early_stopping_rounds"], data_name=[*tables][-1]
            )
        )
    try:
        return xgboost.train(
            _parameters(values),
            tables["train"],
            num_boost_round=max(0, values["num_round"] - done),
            evals=[(matrix, name) for name, matrix in tables.items()],
            verbose_eval=False,
            xgb_model=str(checkpoint) if checkpoint else None,
            callbacks=callbacks,
        )
    except xgboost.core.XGBoostError as error:
        raise UserError(
            f"XGBoost refused the data or the parameters: {_first_lines(error)}"
        ) from error


def _parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in values.items() if name in BOOSTER}
    metrics = [*values.get("eval_metric", [])]
    wanted = values.get("_tuning_objective_metric", "").partition(":")[2]
    if wanted:  # a tuning job's metric is the last, which early stopping watches
        metrics = [*(metric for metric in metrics if metric != wanted), wanted]
    return {**known, **({"eval_metric": metrics} if metrics else {})}


def _first_lines(error: Exception) -> str:
    return str(error).partition("Stack trace")[0].strip()


class _Report(xgboost.callback.TrainingCallback):
    """Prints the evaluation of each round; a tab is written as the log of SageMaker shows it."""

    def __init__(self, done: int) -> None:
        super().__init__()
        self._done = done

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        scores = [
            f"#011{data}-{metric}:{history[-1]:.5f}"
            for data, metrics in evals_log.items()
            for metric, history in metrics.items()
        ]
        say(f"[{self._done + epoch}]{''.join(scores)}")
        return False
