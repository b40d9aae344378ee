"""Hyperparameters of a built-in algorithm: their types, their ranges, and what breaks them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.algorithms.container import UserError

Parse = Callable[[str], Any]


@dataclass(frozen=True)
class Number:
    """A number in a range; `integer` allows whole ones only, `auto` the word auto as well."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    integer: bool = False
    auto: bool = False

    def __call__(self, text: str) -> float | int | str:
        """Read the value."""
        if self.auto and text == "auto":
            return text
        try:
            value: float | int = int(text) if self.integer else float(text)
        except ValueError as error:
            raise ValueError(f"must be {self}") from error
        if not self._inside(value):
            raise ValueError(f"must be {self}")
        return value

    def _inside(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        left = "(" if self.open_low or self.low == -math.inf else "["
        right = ")" if self.open_high or self.high == math.inf else "]"
        kind = "an integer" if self.integer else "a number"
        return f"{kind} in {left}{self.low:g}, {self.high:g}{right}" + self.auto * " or auto"


def integer(low: float = -math.inf, high: float = math.inf, *, auto: bool = False) -> Number:
    """Describe a whole number in a closed range."""
    return Number(low, high, integer=True, auto=auto)


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: Sequence[str]

    def __call__(self, text: str) -> str:
        """Read the value."""
        if text not in self.words:
            raise ValueError(f"must be one of {', '.join(self.words)}")
        return text


@dataclass(frozen=True)
class Pattern:
    """A text of a shape, which the description says in words."""

    expression: str
    description: str

    def __call__(self, text: str) -> str:
        """Read the value."""
        if re.fullmatch(self.expression, text) is None:
            raise ValueError(f"must be {self.description}")
        return text


@dataclass(frozen=True)
class Words:
    """Several words separated by commas."""

    allowed: Callable[[str], bool]
    description: str

    def __call__(self, text: str) -> list[str]:
        """Read the value."""
        words = [word.strip() for word in text.split(",") if word.strip()]
        unknown = [word for word in words if not self.allowed(word)]
        if unknown or not words:
            raise ValueError(f"must be {self.description}")
        return words


def read(
    given: Mapping[str, str], schema: Mapping[str, Parse], required: Sequence[str]
) -> dict[str, Any]:
    """Read all hyperparameters, or refuse with every violation named."""
    wrong = [f"Hyperparameter {name} is required" for name in required if name not in given]
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name not in schema:
            wrong.append(f"Extraneous hyperparameter found: {name}")
            continue
        try:
            values[name] = schema[name](text)
        except ValueError as error:
            wrong.append(f"Hyperparameter {name}: {text!r} {error}")
    if wrong:
        raise UserError("; ".join(wrong))
    return values
