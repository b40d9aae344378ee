"""The champion on today's dataset, which may lack what it reads."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline_code.inference.ensemble import Ensemble
from pipeline_code.training_pipeline.dataset import Rows

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Champion:
    """The model that serves, and the features that the dataset no longer has, by source."""

    ensemble: Ensemble
    missing: dict[str, list[str]]
    rows: Rows | None = None
    """The test rows with its own features, when the challenger's are computed otherwise."""

    @classmethod
    def on(cls, ensemble: Ensemble, columns: AbstractSet[str]) -> Champion:
        """Look what a dataset with these columns lacks."""
        missing: dict[str, list[str]] = {}
        for member in ensemble.members:
            names = [ensemble.features[column] for column in member.columns.tolist()]
            gone = sorted(set(names) - columns)
            if gone:
                missing[member.source] = sorted({*missing.get(member.source, []), *gone})
        return cls(ensemble, missing)

    @property
    def features(self) -> tuple[str, ...]:
        """What it reads and the dataset has."""
        gone = {name for names in self.missing.values() for name in names}
        return tuple(name for name in self.ensemble.features if name not in gone)

    def matrix(self, rows: Rows) -> Matrix:
        """Give its features; those that are gone are unknown."""
        rows = rows if self.rows is None else self.rows
        present = self.features
        matrix = np.full((len(rows), len(self.ensemble.features)), np.nan, dtype=np.float32)
        places = [self.ensemble.features.index(name) for name in present]
        matrix[:, places] = rows.matrix(present)
        return matrix

    def probabilities(self, rows: Rows) -> Floats:
        """Answer as it would from now on: a source of which a feature is gone counts as missing."""
        return self.ensemble.probabilities(self.matrix(rows), frozenset(self.missing))
