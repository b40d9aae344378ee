"""The quality figures against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from pipeline_code.training_pipeline.metrics import metrics_of


def test_the_figures_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    probability = random.random(5000).round(2)  # many ties
    label = (random.random(5000) < probability).astype(float)
    clipped = np.clip(probability, 1e-15, 1 - 1e-15)

    found = metrics_of(label, probability)

    assert found["auc"] == pytest.approx(reference.roc_auc_score(label, probability), abs=1e-12)
    assert found["pr_auc"] == pytest.approx(
        reference.average_precision_score(label, probability), abs=1e-12
    )
    assert found["log_loss"] == pytest.approx(reference.log_loss(label, clipped), abs=1e-9)
    assert found["brier"] == pytest.approx(reference.brier_score_loss(label, probability))
    assert found["rows"] == 5000


def test_calibrated_probabilities_have_a_small_calibration_error_and_shifted_ones_their_shift() -> (
    None
):
    random = np.random.default_rng(4)
    probability = random.uniform(0.1, 0.8, 200_000)
    label = (random.random(200_000) < probability).astype(float)

    assert metrics_of(label, probability)["ece"] < 0.01
    assert metrics_of(label, probability + 0.1)["ece"] == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("only", [0.0, 1.0])
def test_rows_of_one_class_give_finite_figures(only: float) -> None:
    found = metrics_of(np.full(10, only), np.linspace(0, 1, 10))

    assert all(np.isfinite(value) for value in found.values())
    assert found["auc"] == 0.5


def test_a_certain_and_wrong_answer_costs_much_but_not_infinitely_much() -> None:
    assert 30 < metrics_of(np.array([1.0, 0.0]), np.array([0.0, 1.0]))["log_loss"] < 40
