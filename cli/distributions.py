"""Distributions in a dataset's statistics: drawn in characters, and compared.

The population stability index (PSI) of two distributions over the same groups is the sum of
``(a - b) ln(a / b)`` of their shares; a group that is empty on one side counts as half a value.
By the usual reading below .1 is no shift, above .25 a large one. Groups are the reference's
deciles, with a group of their own for nulls. The Kolmogorov-Smirnov distance (KS) is the largest
difference of the two cumulative shares.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Statistics = Mapping[str, Any]

BLOCKS = " ▁▂▃▄▅▆▇█"
GROUPS = 10
HALF = 0.5


class Shift(NamedTuple):
    """How far a column's distribution moved; `ks` is None where values have no order."""

    column: str
    psi: float
    ks: float | None
    before: str
    after: str


def columns_in_bars(histogram: Mapping[str, Any], columns: int) -> list[float]:
    """Spread a histogram's counts over so many equally wide columns."""
    bins, width = histogram["bins"], histogram["width"]
    if not bins:
        return []
    first, end = bins[0][0], bins[-1][0] + width
    counts = [0.0] * columns
    for low, count in bins:
        middle = (low + width / 2 - first) / (end - first)
        counts[min(columns - 1, int(middle * columns))] += count
    return counts


def draw(counts: Sequence[float]) -> str:
    """Draw counts as a line of blocks; whatever is there shows at least the lowest block."""
    highest = max(counts, default=0.0)
    if highest <= 0:
        return ""
    steps = len(BLOCKS) - 1
    return "".join(BLOCKS[math.ceil(count / highest * steps)] for count in counts)


def shift(name: str, before: Statistics, after: Statistics) -> Shift | None:
    """Compare a column of two versions, or give None where its kind has no distribution."""
    kinds = {before["kind"], after["kind"]}
    if kinds == {"number"} and "histogram" in before and "histogram" in after:
        return _shift_of_numbers(name, before, after)
    if kinds == {"category"}:
        return _shift_of_categories(name, before, after)
    return None


def _shift_of_numbers(name: str, before: Statistics, after: Statistics) -> Shift:
    aligned = _aligned(before["histogram"], after["histogram"])
    groups = [*_groups(aligned), (float(before["nulls"]), float(after["nulls"]))]
    return Shift(name, psi(groups), ks(aligned), _mean(before), _mean(after))


def _shift_of_categories(name: str, before: Statistics, after: Statistics) -> Shift:
    tops = [dict(each["top"]) for each in (before, after)]
    # A value that only one side lists may hide among the other's rest: it is compared as rest.
    common = [value for value in tops[0] if value in tops[1]]
    rests = [
        float(each["count"] - sum(top[value] for value in common))
        for each, top in zip((before, after), tops, strict=True)
    ]
    groups = [(float(tops[0][value]), float(tops[1][value])) for value in common]
    groups += [(rests[0], rests[1]), (float(before["nulls"]), float(after["nulls"]))]
    return Shift(name, psi(groups), None, _values(before), _values(after))


def psi(groups: Sequence[tuple[float, float]]) -> float:
    """Return the population stability index of counts before and after, group by group."""
    totals = [sum(pair[side] for pair in groups) for side in (0, 1)]
    if not all(totals):
        return 0.0 if totals[0] == totals[1] else math.inf
    index = 0.0
    for before, after in groups:
        if before or after:
            share = max(before, HALF) / totals[0]
            other = max(after, HALF) / totals[1]
            index += (share - other) * math.log(share / other)
    return index


def ks(aligned: Sequence[tuple[float, float]]) -> float:
    """Return the Kolmogorov-Smirnov distance of counts, in the order of their values."""
    totals = [sum(pair[side] for pair in aligned) for side in (0, 1)]
    if not all(totals):
        return 0.0
    distance = reached = other = 0.0
    for before, after in aligned:
        reached += before / totals[0]
        other += after / totals[1]
        distance = max(distance, abs(reached - other))
    return distance


def _aligned(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Put both histograms into bins of the coarser width, in the order of their values."""
    width = max(before["width"], after["width"]) or 1.0
    counts: dict[int, list[float]] = {}
    for side, histogram in enumerate((before, after)):
        for low, count in histogram["bins"]:
            counts.setdefault(math.floor(low / width), [0.0, 0.0])[side] += count
    return [(counts[place][0], counts[place][1]) for place in sorted(counts)]


def _groups(aligned: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Merge neighbouring bins until each group holds a tenth of the reference."""
    wanted = sum(pair[0] for pair in aligned) / GROUPS
    groups: list[tuple[float, float]] = []
    before = after = 0.0
    for pair in aligned:
        before, after = before + pair[0], after + pair[1]
        if before >= wanted > 0:
            groups.append((before, after))
            before = after = 0.0
    return groups + ([(before, after)] if before or after else [])


def _mean(column: Statistics) -> str:
    return f"mean {column['mean']:.4g}" if "mean" in column else "empty"


def _values(column: Statistics) -> str:
    return f"{column.get('distinct', 0)} values"
