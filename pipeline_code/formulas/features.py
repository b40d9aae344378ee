"""The features of a use case: its formulas noted down once, computed for columns and for rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from pipeline_code.formulas.expressions import (
    Expression,
    Formula,
    FormulaError,
    Inputs,
    formula,
    ordered,
)
from pipeline_code.source_contract import Field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FeatureCode(Protocol):
    """The module ``features`` of a use case."""

    FEATURES: Mapping[str, tuple[str, ...]]
    """Names of the features, by the source that they come from."""
    CATEGORIES: Mapping[str, tuple[str, ...]]
    """Vocabulary of each feature that is a code."""

    @property
    def formulas(self) -> Callable[[Inputs], Mapping[str, Formula]]:
        """The function that says how each feature follows from a row's inputs."""
        ...


class Features:
    """All features of a use case."""

    def __init__(self, code: FeatureCode, inputs: Mapping[str, Mapping[str, Field]]) -> None:
        self.FEATURES = code.FEATURES
        self.CATEGORIES = code.CATEGORIES
        self._names = [name for group in code.FEATURES.values() for name in group]
        self.formulas = self._noted(code.formulas(Inputs(inputs)))
        self._steps, self._places = ordered(self.formulas.values())

    def row_features(
        self, columns: Mapping[str, NDArray[np.generic]]
    ) -> dict[str, NDArray[np.generic]]:
        """Turn columns of inputs (``inputs.yaml``) into features, each row on its own.

        Text and datetimes come as object arrays of ``str | None``, numbers as float64, NaN for
        null. Categoricals go out as int16 codes, all else as float32 with NaN for what is missing.
        """
        import numpy as np  # noqa: PLC0415 - synth loads use cases and needs no numpy

        from pipeline_code.formulas.columns import StepError, evaluate  # noqa: PLC0415

        try:
            values = evaluate(self._steps, columns)
        except StepError as error:
            raise FormulaError(f"feature {self._needing(error.place)!r}: {error}") from error
        made: dict[str, NDArray[np.generic]] = {}
        with np.errstate(over="ignore"):
            for name, place in zip(self._names, self._places, strict=True):
                kind = np.int16 if name in self.CATEGORIES else np.float32
                made[name] = values[place].astype(kind)
        return made

    def _needing(self, step: int) -> str:
        """Name the first feature that needs a step: steps are listed feature by feature."""
        pairs = zip(self._names, self._places, strict=True)
        return next(name for name, place in pairs if place >= step)

    def _noted(self, given: Mapping[str, object]) -> dict[str, Expression]:
        if sorted(given) != sorted(self._names):
            missing, unknown = set(self._names) - set(given), set(given) - set(self._names)
            raise FormulaError(
                "FEATURES and formulas() must name the same features: without a formula are "
                f"{sorted(missing)}, not in FEATURES are {sorted(unknown)}"
            )
        return {name: _checked(name, given[name]) for name in self._names}


def _checked(name: str, given: object) -> Expression:
    try:
        return formula(given)
    except FormulaError as error:
        raise FormulaError(f"feature {name!r}: {error}") from error
