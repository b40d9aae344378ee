"""Linear models: features are transformed to columns, and the columns weighed.

The transform is the one that the training's CSV was written with: values are float32, as they were
there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

AS_IS = "as_is"
"""Features as they are, unknown as NaN: for trees."""
STANDARDISE = "standardise"
"""Unknown numbers become the mean and set an indicator, categories become the log odds of their
training rows, everything is standardised and clipped: for linear models."""
MAX_DEVIATIONS = 5.0


class LinearModelError(RuntimeError):
    """The model's weights do not fit its columns."""


@dataclass(frozen=True)
class Column:
    """How one feature becomes a number with mean 0 and deviation 1."""

    mean: float
    deviation: float
    indicator: bool
    """Whether a second column tells that the value is unknown."""
    codes: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    """Of a category: the number that stands for each code; any other code stands for the mean."""

    def standardised(self, values: Matrix) -> Floats:
        """Transform a feature; unknown becomes 0, the mean."""
        numbers = self._numbers(values) if self.codes else values.astype(np.float64)
        scaled = (numbers - self.mean) / self.deviation
        return np.clip(np.nan_to_num(scaled, nan=0.0), -MAX_DEVIATIONS, MAX_DEVIATIONS)

    def _numbers(self, values: Matrix) -> Floats:
        codes = np.asarray(self.codes)
        place = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
        return np.where(codes[place] == values, np.asarray(self.values)[place], np.nan)


@dataclass(frozen=True)
class Preprocessing:
    """From a member's features to the columns that its algorithm reads."""

    kind: str
    columns: tuple[Column, ...] = ()

    @property
    def width(self) -> int:
        """How many columns come out of ``standardise``."""
        return len(self.columns) + sum(column.indicator for column in self.columns)

    def apply(self, matrix: Matrix) -> Matrix:
        """Transform rows: one column a feature, and the indicators after them."""
        if self.kind == AS_IS:
            return matrix
        made = [column.standardised(matrix[:, index]) for index, column in enumerate(self.columns)]
        unknown = [
            np.isnan(matrix[:, index])
            for index, column in enumerate(self.columns)
            if column.indicator
        ]
        return np.column_stack([*made, *unknown]).astype(np.float32)

    def document(self) -> dict[str, Any]:
        """Put it as JSON."""
        return {"kind": self.kind, "columns": [vars(column) for column in self.columns]}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Preprocessing:
        """Read it from JSON."""
        columns = tuple(
            Column(**{**one, "codes": tuple(one["codes"]), "values": tuple(one["values"])})
            for one in document["columns"]
        )
        return cls(document["kind"], columns)


class LinearScorer:
    """Weights and bias on transformed features."""

    def __init__(self, preprocessing: Preprocessing, weights: Sequence[float], bias: float) -> None:
        if len(weights) != preprocessing.width:
            raise LinearModelError(
                f"the model has {len(weights)} weights for {preprocessing.width} columns"
            )
        self._preprocessing = preprocessing
        self._weights = np.asarray(weights, dtype=np.float64)
        self._bias = bias

    def raw_scores(self, matrix: Matrix) -> Floats:
        """Score rows, float32 and one column a feature; answers log odds."""
        columns = self._preprocessing.apply(matrix).astype(np.float64)
        # A product and a sum a row: the same row gives the same bits alone and among others.
        return np.asarray((columns * self._weights).sum(axis=1) + self._bias)

    def contributions(self, matrix: Matrix) -> Floats:
        """Tell what each feature adds to each row's log odds; last, the bias."""
        weighed = self._preprocessing.apply(matrix).astype(np.float64) * self._weights
        found = np.full((len(matrix), matrix.shape[1] + 1), self._bias)
        found[:, :-1] = weighed[:, : matrix.shape[1]]
        indicated = [i for i, one in enumerate(self._preprocessing.columns) if one.indicator]
        found[:, indicated] += weighed[:, matrix.shape[1] :]
        return found


def linear_content(preprocessing: Preprocessing, weights: Sequence[float], bias: float) -> bytes:
    """Put a linear model as the bytes of its file."""
    document = {"preprocessing": preprocessing.document(), "weights": list(weights), "bias": bias}
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def load_linear(content: bytes) -> LinearScorer:
    """Load a linear model from the bytes of its file."""
    document = json.loads(content)
    preprocessing = Preprocessing.of_document(document["preprocessing"])
    return LinearScorer(preprocessing, document["weights"], float(document["bias"]))
