"""Tells values that no member has seen in training: what is said of them is a guess."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

INFOS = re.compile(r"^feature_infos=(.*)$", re.MULTILINE)
RANGE = re.compile(r"\[([^:\]]+):([^:\]]+)\]")
ANY = (-math.inf, math.inf)

Range = tuple[float, float]


def lightgbm_ranges(model_text: str) -> list[Range]:
    """Read the least and the greatest value of each feature in training, where it has them."""
    found = INFOS.search(model_text)
    return [_range(text) for text in found.group(1).split()] if found else []


def _range(text: str) -> Range:
    found = RANGE.fullmatch(text)
    return (float(found.group(1)), float(found.group(2))) if found else ANY


class Familiarity:
    """The ranges of all features that members read, side by side."""

    def __init__(self, names: Sequence[str], ranges: Sequence[Range]) -> None:
        self._names = np.array(names, dtype=object)
        self._low = np.array([low for low, _ in ranges], dtype=np.float32)
        self._high = np.array([high for _, high in ranges], dtype=np.float32)

    def unfamiliar(self, row: Matrix) -> list[str]:
        """Name the features of a row that lie outside; unknown ones do not."""
        outside = (row < self._low) | (row > self._high)
        return list(dict.fromkeys(self._names[outside])) if outside.any() else []
