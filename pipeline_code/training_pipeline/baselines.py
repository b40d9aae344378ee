"""What an ensemble must beat: the base rate, and one plain logistic regression on all features."""

from __future__ import annotations

import lightgbm
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

ITERATIONS = 100
TOLERANCE = 1e-4
RIDGE = 100.0
MAX_DEVIATIONS = 5.0
"""Standardised numbers are clipped here, so that no outlier rules the regression."""
SMALLEST_VARIANCE = 1e-12
BLACK_BOX = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.1,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.5,
    "lambda_l2": 5.0,
    "cat_smooth": 50,
    "num_threads": 1,
    "verbosity": -1,
}
BLACK_BOX_ROUNDS = 200


def base_rate(train_label: Floats, rows: int) -> Floats:
    """Answer the training rows' rate for every row."""
    return np.full(rows, float(train_label.mean()))


def black_box(
    train: Matrix, label: Floats, test: Matrix, categorical: npt.NDArray[np.bool_], seed: int
) -> Floats:
    """Answer with one LightGBM on all features: what the ensemble gives up to be understood."""
    parameters = {**BLACK_BOX, "seed": seed, "deterministic": True, "force_row_wise": True}
    codes = np.flatnonzero(categorical).tolist()
    data = lightgbm.Dataset(train, label, categorical_feature=codes, params=parameters)
    model = lightgbm.train(parameters, data, num_boost_round=BLACK_BOX_ROUNDS)
    return np.asarray(model.predict(test), dtype=np.float64)


class LogisticBaseline:
    """Logistic regression on standardised numbers and one-hot categories.

    An unknown number becomes the mean and sets an indicator; an unknown category sets none.
    """

    def __init__(self, categorical: npt.NDArray[np.bool_]) -> None:
        self._categorical = categorical
        self._mean = np.empty(0, dtype=np.float32)
        self._deviation = np.empty(0, dtype=np.float32)
        self._sometimes_unknown = np.empty(0, dtype=np.bool_)
        self._codes: list[tuple[int, npt.NDArray[np.float32]]] = []
        self._model = LogisticRegression(C=1 / RIDGE, max_iter=ITERATIONS, tol=TOLERANCE)

    def fit(self, matrix: Matrix, label: Floats) -> None:
        """Learn means, deviations, categories and weights from training rows."""
        numbers = matrix[:, ~self._categorical]
        known = ~np.isnan(numbers)
        count = np.maximum(known.sum(axis=0), 1)
        self._sometimes_unknown = count < len(matrix)
        total = np.where(known, numbers, 0).sum(axis=0, dtype=np.float64)
        self._mean = (total / count).astype(np.float32)
        squares = np.where(known, numbers - self._mean, 0) ** 2
        variance = squares.sum(axis=0, dtype=np.float64) / count
        self._deviation = np.sqrt(np.maximum(variance, SMALLEST_VARIANCE)).astype(np.float32)
        self._codes = [
            (int(column), np.unique(matrix[:, column][matrix[:, column] >= 0]))
            for column in np.flatnonzero(self._categorical)
        ]
        self._model.fit(self._design(matrix), label)

    def probabilities(self, matrix: Matrix) -> Floats:
        """Answer rows."""
        return np.asarray(self._model.predict_proba(self._design(matrix))[:, 1], dtype=np.float64)

    def _design(self, matrix: Matrix) -> Matrix:
        numbers = (matrix[:, ~self._categorical] - self._mean) / self._deviation
        unknown = np.isnan(numbers[:, self._sometimes_unknown]).astype(np.float32)
        standard = np.clip(np.nan_to_num(numbers, nan=0.0), -MAX_DEVIATIONS, MAX_DEVIATIONS)
        one_hot = [
            (matrix[:, column][:, None] == codes[None, :]).astype(np.float32)
            for column, codes in self._codes
        ]
        return np.hstack([standard, unknown, *one_hot])
