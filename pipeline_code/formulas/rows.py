"""Formulas row by row: compiled once into one Python function without loops, calls or arrays.

A dictionary of columns of length one costs most of a request's time; a straight line of Python's
own arithmetic on the same doubles gives the same bits in a fraction of it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pipeline_code.formulas.arithmetic import (
    cosine,
    divided_by_zero,
    minutes_since_epoch,
    sine,
)
from pipeline_code.formulas.expressions import Expression, Number, ordered

CACHED_VALUES = 4096

TEMPLATES: Mapping[str, str] = {
    "add": "({0} + {1})",
    "subtract": "({0} - {1})",
    "multiply": "({0} * {1})",
    "divide": "({0} / {1} if {1} else divided_by_zero({0}, {1}))",
    "floor_divide": "({0} // {1})",
    "modulo": "({0} % {1})",
    "negative": "(-{0})",
    "absolute": "abs({0})",
    "less": "({0} < {1})",
    "less_equal": "({0} <= {1})",
    "greater": "({0} > {1})",
    "greater_equal": "({0} >= {1})",
    "equal": "({0} == {1})",
    "not_equal": "({0} != {1})",
    "both": "({0} and {1})",
    "either": "({0} or {1})",
    "opposite": "(not {0})",
    "one_or_zero": "(1.0 if {0} else 0.0)",
    "where": "({1} if {0} else {2})",
    "known": "({0} == {0})",
    "text_known": "({0} is not None)",
    "maximum": "({0} if {0} >= {1} or {0} != {0} else {1})",
    "minimum": "({0} if {0} <= {1} or {0} != {0} else {1})",
    "sine": "sine({0})",
    "cosine": "cosine({0})",
    "minutes": "minutes_since_epoch({0})",
    "code": "detail{place}({0}, -1.0)",
    "by_text": "detail{place}({0})",
    "by_number": "({0} if {0} != {0} else detail{place}({0}))",
}


class RowCode:
    """Source of the function that computes outputs of one row; ``groups`` are its arguments."""

    def __init__(self, groups: Mapping[str, Iterable[str]], outputs: Sequence[Expression]) -> None:
        self._groups = {name: group for group, names in groups.items() for name in names}
        self._steps, self._outputs = ordered(outputs)
        self._places = {id(step): place for place, step in enumerate(self._steps)}
        self._uses = self._count_uses()
        self.names: dict[str, Any] = {
            "nan": math.nan,
            "inf": math.inf,
            "sine": sine,
            "cosine": cosine,
            "divided_by_zero": divided_by_zero,
            "minutes_since_epoch": minutes_since_epoch,
        }
        """What the code calls by name."""
        self.lines: list[str] = []
        """Assignments of ``v0``, ``v1``, … in order; numbers are doubles or whole numbers."""
        self._texts: list[str] = []
        for place in range(len(self._steps)):
            self._texts.append(self._translate(place))

    def value(self, output: int) -> str:
        """Give the expression of an output."""
        return self._texts[self._outputs[output]]

    def _count_uses(self) -> Counter[int]:
        """Count where each step's text will stand; what stands twice is computed beforehand."""
        uses = Counter(dict.fromkeys(self._outputs, 2))
        for step in self._steps:
            template = TEMPLATES.get(step.operation, "")
            for position, operand in enumerate(step.operands):
                uses[self._places[id(operand)]] += template.count(f"{{{position}}}")
        return uses

    def _translate(self, place: int) -> str:
        step = self._steps[place]
        if step.operation == "constant":
            return f"({step.detail!r})"
        if step.operation == "input":
            return self._input(place, step)
        operands = [self._texts[self._places[id(each)]] for each in step.operands]
        text = TEMPLATES[step.operation].format(*operands, place=place)
        if step.detail is not None:
            self.names[f"detail{place}"] = _callable(step)
        if self._uses[place] <= 1:
            return text
        self.lines.append(f"v{place} = {text}")
        return f"v{place}"

    def _input(self, place: int, step: Expression) -> str:
        if not re.fullmatch(r"[A-Za-z_]\w*", step.detail):
            raise ValueError(f"the input {step.detail!r} is no name")
        self.lines.append(f"v{place} = {self._groups[step.detail]}.{step.detail}")
        if isinstance(step, Number):
            self.lines.append(f"if v{place} is None: v{place} = nan")
        return f"v{place}"


def _callable(step: Expression) -> Callable[..., float]:
    if step.operation == "code":
        return {text: float(place) for place, text in enumerate(step.detail)}.get
    function = step.detail
    return lru_cache(CACHED_VALUES)(lambda value: float(function(value)))
