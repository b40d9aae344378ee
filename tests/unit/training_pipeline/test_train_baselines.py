"""The baselines that a model is shown beside: the base rate and a logistic regression."""

from __future__ import annotations

import numpy as np

from pipeline_code.training_pipeline.baselines import LogisticBaseline, base_rate
from pipeline_code.training_pipeline.metrics import auc

CATEGORICAL = np.array([False, True])


def world(rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """A label that a number, its absence and a category all tell something about."""
    random = np.random.default_rng(6)
    number, code = random.normal(size=rows), random.integers(0, 3, rows)
    absent = random.random(rows) < 0.2
    logit = np.where(absent, 2.0, number) + (code == 2)
    label = (random.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)
    return np.column_stack([np.where(absent, np.nan, number), code]).astype(np.float32), label


def test_the_base_rate_is_that_of_the_training_rows() -> None:
    assert base_rate(np.array([1.0, 0.0, 0.0, 0.0]), 3).tolist() == [0.25, 0.25, 0.25]


def test_the_regression_learns_from_numbers_their_absence_and_categories() -> None:
    matrix, label = world()
    baseline = LogisticBaseline(CATEGORICAL)
    baseline.fit(matrix[:3000], label[:3000])

    assert auc(label[3000:], baseline.probabilities(matrix[3000:])) > 0.72
    known, absent = baseline.probabilities(np.array([[0, 0], [np.nan, 0]], dtype=np.float32))
    assert absent > known + 0.1


def test_outliers_and_unseen_categories_are_answered_with_probabilities() -> None:
    matrix, label = world()
    baseline = LogisticBaseline(CATEGORICAL)
    baseline.fit(matrix, label)

    strange = np.array([[1e30, 0], [-1e30, 99], [np.nan, -1]], dtype=np.float32)

    assert ((baseline.probabilities(strange) > 0) & (baseline.probabilities(strange) < 1)).all()
