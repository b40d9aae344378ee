"""All that the verdict on a challenger rests on, measured on months that no model has seen."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline_code.inference.ensemble import Ensemble
from pipeline_code.training_pipeline.baselines import LogisticBaseline, base_rate
from pipeline_code.training_pipeline.contract import Evaluation, Metrics
from pipeline_code.training_pipeline.dataset import Rows
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig
from pipeline_code.training_pipeline.metrics import metrics_of, sigmoid

Floats = npt.NDArray[np.float64]
Slices = dict[str, dict[str, Metrics]]

LATENCY_ROWS = 200
MIN_SLICE_ROWS = 200
"""Smaller slices say more about chance than about the model."""


def evaluate(
    *,
    dataset_id: str,
    config: EnsembleConfig,
    train: Rows,
    test: Rows,
    challenger: Ensemble,
    champion: Ensemble | None,
    model_size_bytes: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Evaluation:
    """Measure the challenger, whole, in parts and without each source, and what it must beat."""
    label = test.label
    matrix = test.matrix(challenger.features)
    answers = challenger.probabilities(matrix)
    evaluation = Evaluation(
        dataset_id=dataset_id,
        challenger=metrics_of(label, answers),
        baselines=_baselines(config, challenger, train, test),
        members=_members(challenger, matrix, label),
        without_source={
            member.source: metrics_of(
                label, challenger.probabilities(matrix, frozenset({member.source}))
            )
            for member in challenger.members
        },
        slices=slices_of(test, config, answers),
        model_size_bytes=model_size_bytes,
        latency_ms_p50=latency_ms(challenger, matrix, clock),
    )
    if champion is not None:
        rival = champion.probabilities(test.matrix(champion.features))
        evaluation["champion"] = metrics_of(label, rival)
        evaluation["champion_slices"] = slices_of(test, config, rival)
    return evaluation


def slices_of(rows: Rows, config: EnsembleConfig, probability: Floats) -> Slices:
    """Measure each value of each slice column that has rows enough."""
    label = rows.label
    slices: Slices = {}
    for column in config.slices:
        values = rows.texts(column)
        slices[column] = {}
        for value, count in zip(*np.unique(values, return_counts=True), strict=True):
            if count >= MIN_SLICE_ROWS:
                chosen = values == value
                slices[column][str(value)] = metrics_of(label[chosen], probability[chosen])
    return slices


def latency_ms(
    ensemble: Ensemble, matrix: npt.NDArray[np.float32], clock: Callable[[], float]
) -> float:
    """Measure the median time of a one-row answer."""
    durations = []
    for index in range(min(LATENCY_ROWS, len(matrix))):
        start = clock()
        ensemble.predict(matrix[index : index + 1])
        durations.append(clock() - start)
    return statistics.median(durations) * 1000


def size_of(folder: Path) -> int:
    """Add up the bytes of an unpacked artefact."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _members(
    ensemble: Ensemble, matrix: npt.NDArray[np.float32], label: Floats
) -> dict[str, Metrics]:
    measured = {}
    for member in ensemble.members:
        there = member.available(matrix)
        if there.any():
            scores = member.raw_scores(matrix[there])
            measured[member.name] = metrics_of(label[there], sigmoid(scores))
    return measured


def _baselines(
    config: EnsembleConfig, challenger: Ensemble, train: Rows, test: Rows
) -> dict[str, Metrics]:
    names = challenger.features
    categorical = np.array([name in config.categorical for name in names])
    model = LogisticBaseline(categorical)
    model.fit(train.matrix(names), train.label)
    probability = model.probabilities(test.matrix(names))
    return {
        "base_rate": metrics_of(test.label, base_rate(train.label, len(test))),
        "logistic_regression": metrics_of(test.label, probability),
    }
