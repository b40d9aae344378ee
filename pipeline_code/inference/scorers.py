"""How a member's model is scored, whoever trained it: one protocol, one loader by format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline_code.inference.booster import Booster
from pipeline_code.inference.familiarity import Range, lightgbm_ranges
from pipeline_code.inference.linear import load_linear
from pipeline_code.inference.xgboost_trees import load_xgboost_trees

LIGHTGBM = "lightgbm"
"""LightGBM's own text."""
XGBOOST = "xgboost"
"""XGBoost's model file, UBJSON or JSON."""
LINEAR = "linear"
"""Our JSON: the transform from features to columns, weights, bias."""

SUFFIXES: Mapping[str, str] = {LIGHTGBM: "txt", XGBOOST: "ubj", LINEAR: "json"}


class UnknownScorerError(RuntimeError):
    """The artefact asks for a scorer that this code does not have."""


class Scorer(Protocol):
    """A member's model."""

    def raw_scores(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Score rows, float32 and one column a feature; answers log odds."""
        ...

    def contributions(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Tell what each feature adds to each row's log odds; last, what is there without any.

        A row's contributions add up to its log odds, as doubles go.
        """
        ...


_LOADERS: Mapping[str, Callable[[bytes], Scorer]] = {
    LIGHTGBM: lambda content: Booster(content.decode("utf-8")),
    XGBOOST: load_xgboost_trees,
    LINEAR: load_linear,
}


def training_ranges(kind: str, content: bytes) -> list[Range]:
    """Read from a model's file between which values each feature lay in training, if it says so."""
    return lightgbm_ranges(content.decode("utf-8")) if kind == LIGHTGBM else []


def load_scorer(kind: str, content: bytes) -> Scorer:
    """Load a model from the bytes of its file."""
    if kind not in _LOADERS:
        raise UnknownScorerError(f"the scorer {kind!r} is unknown; there are {sorted(_LOADERS)}")
    return _LOADERS[kind](content)
