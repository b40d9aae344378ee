"""The functions that formulas are written with, beside + - * / // % and comparisons."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from pipeline_code.formulas.expressions import (
    Condition,
    Expression,
    Formula,
    FormulaError,
    Inputs,
    Moment,
    Number,
    Operand,
    Text,
    condition,
    number,
)

__all__ = [
    "NOTHING",
    "Condition",
    "Formula",
    "Inputs",
    "Moment",
    "Number",
    "Text",
    "by_value",
    "clip",
    "code",
    "cos",
    "known",
    "maximum",
    "minimum",
    "radians",
    "ratio",
    "sin",
    "where",
]

NOTHING = math.nan
"""What is not known."""


def where(test: Condition, then: Operand | Condition, otherwise: Operand | Condition) -> Number:
    """Choose one of two values."""
    return Number("where", (condition(test), _value(then), _value(otherwise)))


def _value(given: Operand | Condition) -> Number:
    return Number("one_or_zero", (given,)) if isinstance(given, Condition) else number(given)


def known(value: Expression) -> Condition:
    """Tell whether an input or a number is there."""
    if isinstance(value, Text):
        return Condition("text_known", (value,))
    return Condition("known", (value.minutes if isinstance(value, Moment) else number(value),))


def ratio(part: Operand, whole: Operand) -> Number:
    """Divide; nothing where the whole is not above 0."""
    divisor = number(whole)
    return number(part) / where(divisor > 0, divisor, NOTHING)


def maximum(left: Operand, right: Operand) -> Number:
    """Take the greater of two numbers; nothing where one is not known."""
    return Number("maximum", (number(left), number(right)))


def minimum(left: Operand, right: Operand) -> Number:
    """Take the lesser of two numbers; nothing where one is not known."""
    return Number("minimum", (number(left), number(right)))


def clip(value: Operand, low: float, high: float) -> Number:
    """Bring a number into a range."""
    return minimum(maximum(value, low), high)


def radians(degrees: Operand) -> Number:
    """Turn degrees into radians."""
    return number(degrees) * (math.pi / 180)


def sin(angle: Operand) -> Number:
    """Take the sine of an angle in radians."""
    return Number("sine", (number(angle),))


def cos(angle: Operand) -> Number:
    """Take the cosine of an angle in radians."""
    return Number("cosine", (number(angle),))


def code(text: Text, vocabulary: Sequence[str]) -> Number:
    """Take the place of a text in a vocabulary, -1 for one that it lacks."""
    if not isinstance(text, Text):
        raise FormulaError(f"code() takes a text (inputs.text(…)), not {text!r}")
    return Number("code", (text,), tuple(vocabulary))


def by_value(function: Callable[[Any], float], value: Text | Operand) -> Number:
    """Call a function with each value: a text or null (``None``), or a number that is known.

    What it returns may depend on the value alone: it is called once for many rows.
    """
    if isinstance(value, Text):
        return Number("by_text", (value,), function)
    return Number("by_number", (number(value),), function)
