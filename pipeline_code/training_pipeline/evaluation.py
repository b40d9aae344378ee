"""All that the verdict on a challenger rests on, measured on months that no model has seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from pipeline_code.inference.contract import Prediction
from pipeline_code.inference.ensemble import Ensemble, probability_of
from pipeline_code.training_pipeline.baselines import LogisticBaseline, base_rate, black_box
from pipeline_code.training_pipeline.bootstrap import (
    Days,
    gain_of,
    gains,
    interval,
    sampled_metrics,
)
from pipeline_code.training_pipeline.champion import Champion
from pipeline_code.training_pipeline.contract import (
    Comparison,
    Decomposition,
    Evaluation,
    Gain,
    Latency,
    Metrics,
)
from pipeline_code.training_pipeline.dataset import Rows
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig
from pipeline_code.training_pipeline.importance import importances
from pipeline_code.training_pipeline.influence import influences
from pipeline_code.training_pipeline.metrics import (
    calibration_curve,
    losses,
    metrics_of,
    sigmoid,
)
from pipeline_code.training_pipeline.slices import Slices

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
Clock = Callable[[], float]

LATENCY_ROWS = 200
EXAMPLES = 5


@dataclass(frozen=True)
class Challenger:
    """The model to be judged, and the folder that it was unpacked to."""

    ensemble: Ensemble
    folder: Path


def evaluate(
    *,
    dataset_id: str,
    config: EnsembleConfig,
    train: Rows,
    test: Rows,
    challenger: Challenger,
    champion: Champion | None,
    clock: Clock = time.perf_counter,
) -> Evaluation:
    """Measure the challenger, whole, in parts and without each source, and what it must beat."""
    ensemble, settings = challenger.ensemble, config.evaluation
    label, matrix = test.label, test.matrix(ensemble.features)
    predictions = ensemble.predict(matrix)
    answers = np.array([one["probability"] for one in predictions])
    slices = Slices(test, config)
    days = Days.draw(test.day, settings.bootstrap_samples, config.seed)
    latency = latency_ms(ensemble, matrix, clock)
    evaluation = Evaluation(
        dataset_id=dataset_id,
        challenger=metrics_of(label, answers),
        baselines=_baselines(config, ensemble, train, test),
        members=_members(ensemble, matrix, label),
        without_source={
            source: metrics_of(label, ensemble.probabilities(matrix, frozenset({source})))
            for source in dict.fromkeys(member.source for member in ensemble.members)
        },
        slices=slices.metrics(label, answers),
        model_size_bytes=size_of(challenger.folder),
        latency_ms_p50=latency["p50"],
        latency=latency,
        calibration=calibration_curve(label, answers),
        fairness={
            column: slices.fairness(column, label, answers, settings.fairness_threshold)
            for column in settings.fairness_columns
        },
        importance=importances(
            challenger.folder, [member.description for member in ensemble.members]
        ),
        influence=influences(
            ensemble, matrix, label, rows=settings.influence_rows, seed=config.seed
        ),
        decomposition=_decomposition(test.entity_id, predictions),
        member_modes={
            member.name: member.description.get("mode", "C") for member in ensemble.members
        },
        stacked_on=ensemble.description.get("stacked_on", "out_of_fold"),
        bootstrap_samples=settings.bootstrap_samples,
    )
    samples = sampled_metrics(days, label, answers) if settings.bootstrap_samples else {}
    evaluation["intervals"] = {name: interval(values) for name, values in samples.items()}
    if champion is not None:
        rival = champion.probabilities(test)
        evaluation["champion"] = metrics_of(label, rival)
        evaluation["champion_slices"] = slices.metrics(label, rival)
        evaluation["comparison"] = _comparison(
            evaluation, champion, test, (answers, rival), slices, days
        )
    return evaluation


def _comparison(
    evaluation: Evaluation,
    champion: Champion,
    test: Rows,
    answers: tuple[Floats, Floats],
    slices: Slices,
    days: Days,
) -> Comparison:
    """Compare on the same rows and the same drawn days; answers are the challenger's first."""
    label = test.label
    measured = (_figures(evaluation["challenger"]), _figures(evaluation["champion"]))
    sampled = (
        sampled_metrics(days, label, answers[0]),
        sampled_metrics(days, label, answers[1]),
    )
    better = losses(label, answers[1])[0] - losses(label, answers[0])[0]

    def slice_gain(mask: npt.NDArray[np.bool_]) -> Gain:
        return gain_of(float(better[mask].mean()), days.mean(better, mask))

    rivals = _members(champion.ensemble, champion.matrix(test), label)
    return {
        "metrics": gains(measured, sampled),
        "slices": {
            column: {value: slice_gain(mask) for value, mask in masks.items()}
            for column, masks in slices.masks.items()
        },
        "members": {
            name: metrics["auc"] - rivals[name]["auc"]
            for name, metrics in evaluation["members"].items()
            if name in rivals
        },
        "champion_missing": champion.missing,
    }


def latency_ms(ensemble: Ensemble, matrix: Matrix, clock: Clock) -> Latency:
    """Measure the time of one-row answers."""
    durations = []
    for index in range(min(LATENCY_ROWS, len(matrix))):
        start = clock()
        ensemble.predict(matrix[index : index + 1])
        durations.append((clock() - start) * 1000)
    p50, p95, p99 = np.percentile(durations, [50, 95, 99]).tolist()
    return {"p50": p50, "p95": p95, "p99": p99}


def size_of(folder: Path) -> int:
    """Add up the bytes of an unpacked artefact."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _figures(metrics: Metrics) -> dict[str, float]:
    return cast("dict[str, float]", metrics)


def _members(ensemble: Ensemble, matrix: Matrix, label: Floats) -> dict[str, Metrics]:
    measured = {}
    for member in ensemble.members:
        there = member.available(matrix)
        if there.any():
            scores = member.raw_scores(matrix[there])
            measured[member.name] = metrics_of(label[there], sigmoid(scores))
    return measured


def _decomposition(entities: Sequence[str], predictions: Sequence[Prediction]) -> Decomposition:
    """Take every answer apart and put it together again."""
    totals: dict[str, float] = {}
    error = 0.0
    for one in predictions:
        shares = {name: share["share"] for name, share in one["members"].items()}
        logit = one["base"] + sum(shares.values())
        error = max(error, abs(probability_of(logit) - one["probability"]))
        for name, share in shares.items():
            totals[name] = totals.get(name, 0.0) + abs(share)
    order = sorted(range(len(predictions)), key=lambda row: predictions[row]["probability"])
    places = np.linspace(0, len(order) - 1, min(EXAMPLES, len(order))).astype(int).tolist()
    return {
        "max_error": error,
        "mean_absolute_share": {name: total / len(predictions) for name, total in totals.items()},
        "examples": [
            {
                "entity_id": entities[order[place]],
                "probability": predictions[order[place]]["probability"],
                "base": predictions[order[place]]["base"],
                "shares": {
                    name: share["share"]
                    for name, share in predictions[order[place]]["members"].items()
                },
            }
            for place in places
        ],
    }


def _baselines(
    config: EnsembleConfig, ensemble: Ensemble, train: Rows, test: Rows
) -> dict[str, Metrics]:
    names = ensemble.features
    categorical = np.array([name in config.categorical for name in names])
    known, unseen = train.matrix(names), test.matrix(names)
    model = LogisticBaseline(categorical)
    model.fit(known, train.label)
    answers = {
        "base_rate": base_rate(train.label, len(test)),
        "logistic_regression": model.probabilities(unseen),
    }
    if config.evaluation.black_box:
        answers["black_box"] = black_box(known, train.label, unseen, categorical, config.seed)
    return {name: metrics_of(test.label, probability) for name, probability in answers.items()}
