"""Counts of values in bins whose width is a power of two, so that any two such counts fit."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_code.data_pipeline.contract import Histogram

FINE_BINS = 1024
"""Bins that a part keeps: enough for quantiles."""
FINEST_LEVEL = -24
EXACT_BITS = 52
"""Of a number's bits those that a bin's index may have."""
PLACE_BITS = 64
Integers = NDArray[np.int64]


class HistogramBins:
    """Counts of values by bin: a bin's place times its width, 2 to the level, is its lower end."""

    def __init__(self) -> None:
        self.level = FINEST_LEVEL
        self.places: Integers = np.empty(0, np.int64)
        self.counts: Integers = np.empty(0, np.int64)

    def add(self, values: NDArray[Any]) -> None:
        """Count values, all of them finite."""
        found, counts = np.unique(values, return_counts=True)
        distinct = found.astype(np.float64)
        largest = max(abs(distinct[0]), abs(distinct[-1]))
        level = max(self.level, int(np.frexp(largest)[1]) - EXACT_BITS)
        places = np.floor(np.ldexp(distinct, -level)).astype(np.int64)
        self.merge(level, *_together(places, counts.astype(np.int64)))

    def merge(self, level: int, places: Integers, counts: Integers) -> None:
        """Take the bins of another part along, in the order of their places."""
        common = max(level, self.level)
        both = np.concatenate([self.places >> (common - self.level), places >> (common - level)])
        order = np.argsort(both, kind="stable")
        summed = np.concatenate([self.counts, counts])[order]
        self.level = common
        self.places, self.counts = _together(both[order], summed)
        self.level, self.places, self.counts = self._coarser(FINE_BINS)

    def _coarser(self, limit: int) -> tuple[int, Integers, Integers]:
        """Put neighbours together as often as it takes to have no more bins than the limit."""
        times = bisect_left(
            range(PLACE_BITS), True, key=lambda n: _distinct(self.places >> n) <= limit
        )
        return self.level + times, *_together(self.places >> times, self.counts)

    def width_of(self, limit: int) -> float:
        """Choose the least width that needs no more bins than the limit."""
        return float(2.0 ** self._coarser(limit)[0])

    def quantile(self, share: float) -> float:
        """Give the lower end of the bin below which the share lies."""
        place = int(np.searchsorted(np.cumsum(self.counts), share * self.counts.sum()))
        return float(np.ldexp(float(self.places[place]), self.level))

    def histogram(self, width: float) -> Histogram:
        """Spell the counts in bins of the width, which is not less than their own."""
        level = int(np.log2(width))
        places, counts = _together(self.places >> (level - self.level), self.counts)
        lows = np.ldexp(places.astype(np.float64), level).tolist()
        return Histogram(width=width, bins=list(zip(lows, counts.tolist(), strict=True)))


def _distinct(places: Integers) -> int:
    """Count different places, equal ones lying side by side."""
    return int(np.count_nonzero(places[1:] != places[:-1])) + 1


def _together(places: Integers, counts: Integers) -> tuple[Integers, Integers]:
    """Add up the counts of equal places, which lie side by side."""
    if not len(places):
        return places, counts
    firsts = np.flatnonzero(np.concatenate([[True], places[1:] != places[:-1]]))
    return places[firsts], np.add.reduceat(counts, firsts)
