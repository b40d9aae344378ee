"""From request to answer: *pre* (features), *inference* (members), *post* (stacker, shares)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline_code.inference.contract import Prediction
from pipeline_code.inference.ensemble import ArtefactError, Ensemble, load_ensemble
from pipeline_code.use_case import UseCase, load_use_case

Matrix = npt.NDArray[np.float32]
Instance = Mapping[str, Mapping[str, object] | None]


class Predictor:
    """Answers validated instances with one ensemble and the use case's own row-level transforms."""

    def __init__(self, use_case: UseCase, ensemble: Ensemble) -> None:
        self.use_case = use_case
        self.ensemble = ensemble
        self._features = use_case.features()

    def feature_matrix(self, instances: Sequence[Instance]) -> Matrix:
        """Compute the ensemble's features, as the dataset holds them: float32, unknown as NaN."""
        columns = self._features.row_features(self.use_case.columns(instances))
        matrix = np.empty((len(instances), len(self.ensemble.features)), dtype=np.float32)
        for index, name in enumerate(self.ensemble.features):
            matrix[:, index] = columns[name]
        return matrix

    def predict(self, instances: Sequence[Instance]) -> list[Prediction]:
        """Answer every instance, in order."""
        return self.ensemble.predict(self.feature_matrix(instances))


def load_predictor(folder: Path) -> Predictor:
    """Load the artefact in ``folder`` with the use case that it was trained for."""
    ensemble = load_ensemble(folder)
    use_case = load_use_case(ensemble.use_case)
    produced = {name for group in use_case.features().FEATURES.values() for name in group}
    unknown = [name for name in ensemble.features if name not in produced]
    if unknown:
        raise ArtefactError(
            f"the model reads the features {unknown}, which the use case {use_case.name} of this "
            "image does not compute: model and image do not belong together"
        )
    return Predictor(use_case, ensemble)
