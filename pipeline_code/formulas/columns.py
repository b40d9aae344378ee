"""Formulas over columns: every operation on whole numpy arrays."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline_code.formulas.arithmetic import cosine, sine
from pipeline_code.formulas.expressions import Expression

Column: TypeAlias = NDArray[Any]


class StepError(Exception):
    """An operation failed, the one at ``place``."""

    def __init__(self, place: int, step: Expression, error: Exception) -> None:
        super().__init__(f"{step.operation} failed: {type(error).__name__}: {error}")
        self.place = place


def evaluate(steps: Sequence[Expression], columns: Mapping[str, Column]) -> list[Column]:
    """Carry out the listed operations; answers the value of each."""
    values: list[Column] = []
    places = {id(step): place for place, step in enumerate(steps)}
    with np.errstate(all="ignore"):
        for place, step in enumerate(steps):
            operands = [values[places[id(each)]] for each in step.operands]
            try:
                values.append(_carried_out(step, operands, columns))
            except Exception as error:
                raise StepError(place, step, error) from error
    return values


def _carried_out(step: Expression, operands: list[Column], columns: Mapping[str, Column]) -> Column:
    if step.operation == "input":
        return columns[step.detail]
    if step.operation == "constant":
        return np.broadcast_to(np.float64(step.detail), len(next(iter(columns.values()))))
    if step.detail is not None:
        return WITH_DETAIL[step.operation](operands[0], step.detail)
    return OPERATIONS[step.operation](*operands)


def _maximum(left: Column, right: Column) -> Column:
    return np.asarray(np.where((left >= right) | np.isnan(left), left, right))


def _minimum(left: Column, right: Column) -> Column:
    return np.asarray(np.where((left <= right) | np.isnan(left), left, right))


def _each(function: Callable[[float], float]) -> Callable[[Column], Column]:
    """Call a function with each number: numpy's own sine differs by machine in the last bit."""

    def call(values: Column) -> Column:
        return np.fromiter(map(function, values.tolist()), np.float64, len(values))

    return call


def _minutes(moments: Column) -> Column:
    read = moments.astype("datetime64[m]")
    return np.where(np.isnat(read), np.nan, read.astype(np.int64).astype(np.float64))


def _codes(texts: Column, vocabulary: Sequence[str]) -> Column:
    places = {text: place for place, text in enumerate(vocabulary)}
    found = [places.get(text, -1) for text in texts.tolist()]
    return np.array(found, dtype=np.float64)


def _by_text(texts: Column, function: Callable[[str | None], float]) -> Column:
    values = texts.tolist()
    made = {text: float(function(text)) for text in set(values)}
    return np.array([made[text] for text in values], dtype=np.float64)


def _by_number(numbers: Column, function: Callable[[float], float]) -> Column:
    distinct, places = np.unique(numbers, return_inverse=True)
    made = [np.nan if one != one else float(function(one)) for one in distinct.tolist()]  # noqa: PLR0124
    return np.array(made, dtype=np.float64)[places]


OPERATIONS: Mapping[str, Callable[..., Column]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": np.true_divide,
    "floor_divide": np.floor_divide,
    "modulo": np.mod,
    "negative": operator.neg,
    "absolute": np.abs,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "both": operator.and_,
    "either": operator.or_,
    "opposite": np.logical_not,
    "one_or_zero": lambda condition: condition.astype(np.float64),
    "where": np.where,
    "known": lambda value: ~np.isnan(value),
    "text_known": lambda texts: np.array([text is not None for text in texts.tolist()], np.bool_),
    "maximum": _maximum,
    "minimum": _minimum,
    "sine": _each(sine),
    "cosine": _each(cosine),
    "minutes": _minutes,
}
WITH_DETAIL: Mapping[str, Callable[[Column, Any], Column]] = {
    "code": _codes,
    "by_text": _by_text,
    "by_number": _by_number,
}
