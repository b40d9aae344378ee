"""One row from inputs to log odds: formulas in a straight line, then each member's fastest way.

The members' features lie side by side in one buffer of float32, as the dataset holds them: the
scores are those of the same row in a matrix, bit for bit.
"""

from __future__ import annotations

import ctypes
import itertools
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline_code.formulas.expressions import Expression
from pipeline_code.formulas.rows import RowCode
from pipeline_code.inference.booster import Booster
from pipeline_code.inference.ensemble import Ensemble, EnsembleMember
from pipeline_code.inference.request_types import Inputs, Row

RowFunction = Callable[[Row], tuple[tuple[float, ...], tuple[bool, ...]]]
"""Answers the values of the buffer, and of each member whether its source is there."""
FLOAT32_BYTES = 4


class RowScorer:
    """Scores rows one by one; not safe for use from several threads."""

    def __init__(
        self, ensemble: Ensemble, formulas: Mapping[str, Expression], inputs: Inputs
    ) -> None:
        widths = [len(member.columns) for member in ensemble.members]
        self._layout = struct.Struct(f"{sum(widths)}f")
        self._buffer = bytearray(self._layout.size)
        self._pinned = (ctypes.c_char * self._layout.size).from_buffer(self._buffer)
        self.row = np.frombuffer(self._buffer, np.float32)
        """The features of the row that was scored last, member by member."""
        self.source = row_source(ensemble, formulas, inputs)
        self._values = self.source.compiled()
        starts = np.cumsum([0, *widths]).tolist()
        self._members = tuple(
            self._scorer(member, start, width)
            for member, start, width in zip(ensemble.members, starts, widths, strict=False)
        )

    def scores(self, row: Row) -> tuple[list[float], tuple[bool, ...]]:
        """Answer each member's log odds, NaN where its source is not there, and whether it is.

        Raises ``OverflowError`` for a feature beyond float32, which is infinite in a matrix.
        """
        values, available = self._values(row)
        self._layout.pack_into(self._buffer, 0, *values)
        return [
            score() if there else np.nan
            for score, there in zip(self._members, available, strict=True)
        ], available

    def _scorer(self, member: EnsembleMember, start: int, width: int) -> Callable[[], float]:
        if isinstance(member.scorer, Booster):
            address = ctypes.addressof(self._pinned) + start * FLOAT32_BYTES
            return member.scorer.score_of(address)
        matrix = self.row[None, start : start + width]
        scorer = member.scorer
        return lambda: float(scorer.raw_scores(matrix)[0])


class RowSource:
    """The text of the row function, and what it calls by name."""

    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        self.text = text
        self._names = names

    def compiled(self) -> RowFunction:
        """Compile it."""
        names = dict(self._names)
        # The text is made of checked names and our own templates alone.
        exec(compile(self.text, "<formulas>", "exec"), names)  # noqa: S102
        function: RowFunction = names["row"]
        return function


def row_source(ensemble: Ensemble, formulas: Mapping[str, Expression], inputs: Inputs) -> RowSource:
    """Write the function for the features that the ensemble reads, member by member."""
    used = [[ensemble.features[index] for index in member.columns] for member in ensemble.members]
    distinct = dict.fromkeys(itertools.chain.from_iterable(used))
    outputs = {name: place for place, name in enumerate(distinct)}
    groups = {f"group{place}": fields for place, fields in enumerate(inputs.values())}
    code = RowCode(groups, [formulas[name] for name in outputs])
    text = {name: code.value(place) for name, place in outputs.items()}
    values = ", ".join(text[name] for names in used for name in names)
    available = ", ".join(_known([text[n] for n in _evidence(ensemble, member)])
                          for member in ensemble.members)  # fmt: skip
    lines = [*_groups(inputs), *code.lines, f"return ({values},), ({available},)"]
    absent = {f"absent{place}": _Absent(fields) for place, fields in enumerate(inputs.values())}
    return RowSource("def row(instance):\n" + _indented(lines), {**code.names, **absent})


class _Absent:
    """A group of inputs that is not there: all of it is null."""

    def __init__(self, fields: Sequence[str] | Mapping[str, object]) -> None:
        vars(self).update(dict.fromkeys(fields))


def _evidence(ensemble: Ensemble, member: EnsembleMember) -> list[str]:
    return [ensemble.features[index] for index in member.evidence]


def _known(texts: list[str]) -> str:
    return " or ".join(f"{text} == {text}" for text in texts) or "False"


def _groups(inputs: Inputs) -> list[str]:
    required, *others = enumerate(inputs)
    return [
        f"group{required[0]} = instance.{required[1]}",
        *(f"group{place} = instance.{name} or absent{place}" for place, name in others),
    ]


def _indented(lines: list[str]) -> str:
    return "".join(f"    {line}\n" for line in lines)
