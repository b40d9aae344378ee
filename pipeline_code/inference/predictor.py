"""From request to answer: *pre* (features), *inference* (members), *post* (stacker, shares)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline_code.inference.contract import Prediction, Reason
from pipeline_code.inference.ensemble import ArtefactError, Ensemble, load_ensemble
from pipeline_code.inference.familiarity import Familiarity
from pipeline_code.inference.request_types import Row, request_types
from pipeline_code.inference.row_scorer import RowScorer
from pipeline_code.use_case import UseCase, as_column, load_use_case

Matrix = npt.NDArray[np.float32]
Instance = Mapping[str, Mapping[str, object] | None]

ROWS_ONE_BY_ONE = 64
"""From more rows on whole columns are faster."""


class NoProbabilityError(RuntimeError):
    """A model answered something that is no probability."""


class Predictor:
    """Answers validated instances with one ensemble and the use case's own formulas."""

    def __init__(self, use_case: UseCase, ensemble: Ensemble) -> None:
        self.use_case = use_case
        self.ensemble = ensemble
        self.types = request_types(use_case.inputs)
        self._features = use_case.features()
        self._scorer = RowScorer(ensemble, self._features.formulas, use_case.inputs)
        self._read = np.concatenate([member.columns for member in ensemble.members])
        self._familiarity = Familiarity(
            [ensemble.features[column] for column in self._read],
            [
                member.range_of(position)
                for member in ensemble.members
                for position in range(len(member.columns))
            ],
        )

    def feature_matrix(self, instances: Sequence[Instance]) -> Matrix:
        """Compute the ensemble's features, as the dataset holds them: float32, unknown as NaN."""
        return self.matrix_of(self.use_case.columns(instances))

    def matrix_of(self, columns: Mapping[str, npt.NDArray[np.generic]]) -> Matrix:
        """Compute them of columns of inputs."""
        features = self._features.row_features(columns)
        return np.column_stack(
            [features[name].astype(np.float32) for name in self.ensemble.features]
        )

    def predict(self, instances: Sequence[Instance]) -> list[Prediction]:
        """Answer every instance, in order."""
        return self.predict_rows(self.types.rows(instances))

    def predict_rows(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer every row, in order; a row gets the same answer alone and among others."""
        if len(rows) > ROWS_ONE_BY_ONE:
            return self._predict_matrix(self.rows_matrix(rows))
        return [self._answer(row) for row in rows]

    def explained(self, matrix: Matrix, count: int) -> list[list[Reason]]:
        """Name the main reasons of each row's answer."""
        _, available = self.ensemble.member_scores(matrix)
        there = np.column_stack(available).tolist()
        return [
            self.ensemble.reasons(row, known, count)
            for row, known in zip(matrix, there, strict=True)
        ]

    def rows_matrix(self, rows: Sequence[Row]) -> Matrix:
        """Compute the ensemble's features of rows."""
        return self.matrix_of(self._columns(rows))

    def unfamiliar(self, matrix: Matrix) -> list[list[str]]:
        """Name each row's features that lie outside of what was trained on."""
        return [self._familiarity.unfamiliar(row) for row in matrix[:, self._read]]

    def combined(
        self, scores: Sequence[float], available: Sequence[bool], unfamiliar: Sequence[str]
    ) -> Prediction:
        """Answer a row of which the members' log odds are given; say why it deserves less trust."""
        answer = self.ensemble.combined(scores, available)
        if math.isnan(answer["probability"]):
            raise NoProbabilityError("the model's answer is not a number")
        answer["flags"] = [
            *(f"missing:{source}" for source in answer["missing_sources"]),
            *(f"unfamiliar:{name}" for name in unfamiliar),
        ]
        return answer

    def _answer(self, row: Row) -> Prediction:
        try:
            scores, available = self._scorer.scores(row)
        except OverflowError:
            return self._predict_matrix(self.rows_matrix([row]))[0]
        return self.combined(scores, available, self._familiarity.unfamiliar(self._scorer.row))

    def _predict_matrix(self, matrix: Matrix) -> list[Prediction]:
        scores, available = self.ensemble.member_scores(matrix)
        rows = zip(
            np.column_stack(scores).tolist(),
            np.column_stack(available).tolist(),
            self.unfamiliar(matrix),
            strict=True,
        )
        return [self.combined(*row) for row in rows]

    def _columns(self, rows: Sequence[Row]) -> dict[str, npt.NDArray[np.generic]]:
        columns = {}
        for group, fields in self.use_case.inputs.items():
            parts = [getattr(row, group) for row in rows]
            for name, field in fields.items():
                values = [None if part is None else getattr(part, name) for part in parts]
                columns[name] = as_column(field.type, values)
        return columns


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
