"""What an ensemble must beat: the base rate, and one plain logistic regression on all features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

ITERATIONS = 60
TOLERANCE = 1e-3
RIDGE = 1.0


def base_rate(train_label: Floats, rows: int) -> Floats:
    """Answer the training rows' rate for every row."""
    return np.full(rows, float(train_label.mean()))


class LogisticBaseline:
    """Logistic regression on standardised numbers (unknown = mean) and one-hot categories."""

    def __init__(self, categorical: npt.NDArray[np.bool_]) -> None:
        self._categorical = categorical
        self._mean = np.empty(0, dtype=np.float32)
        self._deviation = np.empty(0, dtype=np.float32)
        self._codes: list[tuple[int, npt.NDArray[np.float32]]] = []
        self._model = LogisticRegression(C=1 / RIDGE, max_iter=ITERATIONS, tol=TOLERANCE)

    def fit(self, matrix: Matrix, label: Floats) -> None:
        """Learn means, deviations, categories and weights from training rows."""
        numbers = matrix[:, ~self._categorical]
        known = ~np.isnan(numbers)
        count = np.maximum(known.sum(axis=0), 1)
        filled = np.where(known, numbers, 0)
        self._mean = (filled.sum(axis=0, dtype=np.float64) / count).astype(np.float32)
        centred = np.where(known, numbers - self._mean, 0)
        variance = (centred**2).sum(axis=0, dtype=np.float64) / count
        self._deviation = np.sqrt(np.maximum(variance, 1e-12)).astype(np.float32)
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
        parts = [np.nan_to_num(numbers, copy=False, nan=0.0, posinf=0.0, neginf=0.0)]
        for column, codes in self._codes:
            parts.append((matrix[:, column][:, None] == codes[None, :]).astype(np.float32))
        return np.hstack(parts)
