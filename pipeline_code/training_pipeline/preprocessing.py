"""Learns a member's preprocessing from its training rows: what CSV columns its algorithm reads."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline_code.inference.linear import AS_IS, STANDARDISE, Column, Preprocessing

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

KINDS = {"xgboost": AS_IS, "marketplace_algorithm": AS_IS}
"""Trees read features as they are; anything else is standardised."""
SHRINKAGE = 20.0
"""Rows of the overall rate that a category's rate is mixed with: rare ones stay near it."""
SMALLEST_DEVIATION = 1e-6


def fit_preprocessing(
    algorithm: str, matrix: Matrix, label: Floats, categorical: npt.NDArray[np.bool_]
) -> Preprocessing:
    """Learn the preprocessing of an algorithm from training rows."""
    if KINDS.get(algorithm, STANDARDISE) == AS_IS:
        return Preprocessing(AS_IS)
    columns = [
        _category(matrix[:, index], label) if is_category else _number(matrix[:, index])
        for index, is_category in enumerate(categorical.tolist())
    ]
    return Preprocessing(STANDARDISE, tuple(columns))


def _number(values: Matrix) -> Column:
    known = values[~np.isnan(values)].astype(np.float64)
    if not len(known):
        return Column(mean=0.0, deviation=1.0, indicator=True)
    return Column(
        mean=float(known.mean()),
        deviation=max(float(known.std()), SMALLEST_DEVIATION),
        indicator=len(known) < len(values),
    )


def _category(values: Matrix, label: Floats) -> Column:
    codes, place = np.unique(values, return_inverse=True)
    rate = float(label.mean())
    rows = np.bincount(place)
    rates = (np.bincount(place, weights=label) + SHRINKAGE * rate) / (rows + SHRINKAGE)
    odds = np.log(rates / (1.0 - rates))
    encoded = odds[place]
    known = codes >= 0
    return Column(
        mean=float(encoded.mean()),
        deviation=max(float(encoded.std()), SMALLEST_DEVIATION),
        indicator=False,
        codes=tuple(float(code) for code in codes[known]),
        values=tuple(float(value) for value in odds[known]),
    )
