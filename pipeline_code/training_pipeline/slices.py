"""Slices of the test rows: by a column's value, by bands of a number, by season."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from pipeline_code.training_pipeline.contract import Fairness, FairnessGroup, Metrics
from pipeline_code.training_pipeline.dataset import Rows
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfig, SliceBand
from pipeline_code.training_pipeline.metrics import metrics_of

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.str_]

MIN_SLICE_ROWS = 200
"""Smaller slices say more about chance than about the model."""
SEASON = "season"
UNKNOWN = "unknown"


class Slices:
    """The slices of some rows that have rows enough."""

    def __init__(self, rows: Rows, config: EnsembleConfig) -> None:
        values: dict[str, Texts] = {name: rows.texts(name) for name in config.slices}
        for band in config.slice_bands:
            values[band.name] = _bands(rows, band)
        if config.slice_seasons:
            values[SEASON] = _seasons(rows, config.slice_seasons)
        self.masks: dict[str, dict[str, Mask]] = {
            name: dict(_masks(texts)) for name, texts in values.items()
        }

    def metrics(self, label: Floats, probability: Floats) -> dict[str, dict[str, Metrics]]:
        """Measure each slice."""
        return {
            name: {
                value: metrics_of(label[mask], probability[mask]) for value, mask in masks.items()
            }
            for name, masks in self.masks.items()
        }

    def fairness(
        self, column: str, label: Floats, probability: Floats, threshold: float
    ) -> Fairness:
        """Put the groups of a declared column beside each other."""
        groups = {
            value: _group(label[mask], probability[mask], threshold)
            for value, mask in self.masks[column].items()
        }
        gaps = [abs(one["mean_probability"] - one["base_rate"]) for one in groups.values()]
        return {
            "threshold": threshold,
            "groups": groups,
            "max_calibration_gap": max(gaps, default=0.0),
            "max_true_positive_gap": _spread(
                [one["true_positive_rate"] for one in groups.values()]
            ),
            "max_false_positive_gap": _spread(
                [one["false_positive_rate"] for one in groups.values()]
            ),
        }


def _spread(values: list[float]) -> float:
    return max(values, default=0.0) - min(values, default=0.0)


def _masks(texts: Texts) -> Iterator[tuple[str, Mask]]:
    for value, count in zip(*np.unique(texts, return_counts=True), strict=True):
        if count >= MIN_SLICE_ROWS:
            yield str(value), texts == value


def _bands(rows: Rows, band: SliceBand) -> Texts:
    numbers = rows.matrix([band.column])[:, 0].astype(np.float64)
    edges = [f"{edge:g}" for edge in band.edges]
    names = [f"below {edges[0]}"]
    names += [f"{low} to {high}" for low, high in itertools.pairwise(edges)]
    names += [f"from {edges[-1]}"]
    found = np.array(names)[np.digitize(numbers, band.edges)]
    return np.where(np.isnan(numbers), UNKNOWN, found)


def _seasons(rows: Rows, seasons: Mapping[str, tuple[int, ...]]) -> Texts:
    of_month = {month: name for name, months in seasons.items() for month in months}
    return np.array([of_month.get(int(period[5:7]), UNKNOWN) for period in rows.period.tolist()])


def _group(label: Floats, probability: Floats, threshold: float) -> FairnessGroup:
    alerts = probability >= threshold
    return {
        "rows": len(label),
        "base_rate": float(label.mean()),
        "mean_probability": float(probability.mean()),
        "alert_rate": float(alerts.mean()),
        "true_positive_rate": _rate(alerts, label == 1),
        "false_positive_rate": _rate(alerts, label == 0),
    }


def _rate(alerts: Mask, among: Mask) -> float:
    return float(alerts[among].mean()) if among.any() else 0.0
