"""What one column's values look like, summed up in parts that can be put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pyarrow.compute as pc

from pipeline_code.data_pipeline.contract import ColumnStatistics
from pipeline_code.data_pipeline.histogram_bins import HistogramBins

SHOWN_BINS = 64
TOP_VALUES = 20
UNKNOWN = "(unknown)"
"""A category that the vocabulary lacks."""
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
SIGNIFICANT_DIGITS = 6
"""Digits of a figure: fewer than another processor's order of a sum can change."""


class Summary(Protocol):
    """What a part of a column comes to."""

    def add(self, values: Any) -> None:
        """Take an Arrow column's values along."""
        ...

    def merge(self, state: Mapping[str, Any]) -> None:
        """Take the state of another part along."""
        ...

    def state(self) -> dict[str, Any]:
        """Spell the part as JSON can carry it."""
        ...

    def statistics(self, width: float | None) -> ColumnStatistics:
        """Tell the figures, a histogram in bins of the width."""
        ...

    def bin_width(self) -> float | None:
        """Choose the width of the bins in which a histogram is shown."""
        ...


class CountSummary:
    """Counts alone: of keys and of personal data."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.count = 0
        self.nulls = 0

    def add(self, values: Any) -> None:
        """Take an Arrow column's values along."""
        self.count += len(values) - values.null_count
        self.nulls += values.null_count

    def merge(self, state: Mapping[str, Any]) -> None:
        """Take the state of another part along."""
        self.count += state["count"]
        self.nulls += state["nulls"]

    def state(self) -> dict[str, Any]:
        """Spell the part as JSON can carry it."""
        return {"count": self.count, "nulls": self.nulls}

    def statistics(self, width: float | None) -> ColumnStatistics:  # noqa: ARG002
        """Tell the counts."""
        return ColumnStatistics(kind=self._kind, count=self.count, nulls=self.nulls)  # type: ignore[typeddict-item]  # subclasses pass the literals

    def bin_width(self) -> float | None:
        """Have no histogram."""
        return None


class TimeSummary(CountSummary):
    """The first and the last time."""

    def __init__(self) -> None:
        super().__init__("time")
        self._times: list[str] = []

    def add(self, values: Any) -> None:
        """Take an Arrow column's values along."""
        super().add(values)
        ends = pc.min_max(values)
        found = [time.as_py() for time in (ends["min"], ends["max"]) if time.is_valid]
        self._times += [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in found]

    def merge(self, state: Mapping[str, Any]) -> None:
        """Take the state of another part along."""
        super().merge(state)
        self._times += state["times"]

    def state(self) -> dict[str, Any]:
        """Spell the part as JSON can carry it."""
        ends = [min(self._times), max(self._times)] if self._times else []
        return super().state() | {"times": ends}

    def statistics(self, width: float | None) -> ColumnStatistics:
        """Tell counts and ends."""
        found = super().statistics(width)
        if self._times:
            found["first"], found["last"] = min(self._times), max(self._times)
        return found


class CategorySummary(CountSummary):
    """How often each value of a vocabulary comes; a code stands for the name at its place."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        super().__init__("category")
        self._names = names
        self._values: Counter[str] = Counter()

    def add(self, values: Any) -> None:
        """Take an Arrow column's values along."""
        super().add(values)
        for pair in pc.value_counts(values.drop_null()).to_pylist():
            self._values[self._name(pair["values"])] += pair["counts"]

    def merge(self, state: Mapping[str, Any]) -> None:
        """Take the state of another part along."""
        super().merge(state)
        self._values.update(state["values"])

    def state(self) -> dict[str, Any]:
        """Spell the part as JSON can carry it."""
        return super().state() | {"values": dict(self._values)}

    def statistics(self, width: float | None) -> ColumnStatistics:
        """Tell the most frequent values."""
        found = super().statistics(width)
        ordered = sorted(self._values.items(), key=lambda item: (-item[1], item[0]))
        found["distinct"] = len(ordered)
        found["top"] = ordered[:TOP_VALUES]
        found["other"] = sum(count for _, count in ordered[TOP_VALUES:])
        return found

    def _name(self, value: str | int) -> str:
        if isinstance(value, str):
            return value
        return self._names[value] if 0 <= value < len(self._names) else UNKNOWN


class NumberSummary(CountSummary):
    """Moments, range and a histogram in bins whose width is a power of two.

    Bins are equally wide, and only those with a value are kept. Become they too many, each two
    neighbours are put together; so parts fit into each other whatever their widths.
    """

    def __init__(self) -> None:
        super().__init__("number")
        self._mean = self._squares = 0.0
        self._low, self._high = np.inf, -np.inf
        self._bins = HistogramBins()

    def add(self, values: Any) -> None:
        """Take an Arrow column's values along; one that is not finite counts as null."""
        known = values.drop_null().to_numpy()
        finite = known[np.isfinite(known)]
        self.nulls += len(values) - len(finite)
        if len(finite):
            mean = float(finite.mean(dtype=np.float64))
            deviations = finite.astype(np.float64) - mean
            self._add_moments(len(finite), mean, float((deviations * deviations).sum()))
            self._low = min(self._low, float(finite.min()))
            self._high = max(self._high, float(finite.max()))
            self._bins.add(finite)

    def merge(self, state: Mapping[str, Any]) -> None:
        """Take the state of another part along."""
        self.nulls += state["nulls"]
        if state["count"]:
            self._add_moments(state["count"], state["mean"], state["squares"])
            self._low = min(self._low, state["low"])
            self._high = max(self._high, state["high"])
            self._bins.merge(
                state["level"], np.array(state["places"]), np.array(state["counts"], np.int64)
            )

    def state(self) -> dict[str, Any]:
        """Spell the part as JSON can carry it."""
        found = super().state()
        if self.count:
            found |= {
                "mean": self._mean,
                "squares": self._squares,
                "low": self._low,
                "high": self._high,
                "level": self._bins.level,
                "places": self._bins.places.tolist(),
                "counts": self._bins.counts.tolist(),
            }
        return found

    def statistics(self, width: float | None) -> ColumnStatistics:
        """Tell moments, quantiles and the histogram."""
        found = super().statistics(width)
        if self.count:
            found["min"], found["max"] = _rounded(self._low), _rounded(self._high)
            found["mean"] = _rounded(self._mean)
            found["std"] = _rounded(float((self._squares / self.count) ** 0.5))
            found["quantiles"] = {
                str(share): _rounded(min(max(self._bins.quantile(share), self._low), self._high))
                for share in QUANTILES
            }
            found["histogram"] = self._bins.histogram(width or self.bin_width() or 1.0)
        return found

    def bin_width(self) -> float | None:
        """Choose the width of the bins in which a histogram is shown."""
        return self._bins.width_of(SHOWN_BINS) if self.count else None

    def _add_moments(self, count: int, mean: float, squares: float) -> None:
        total = self.count + count
        apart = mean - self._mean
        self._squares += squares + apart * apart * self.count * count / total
        self._mean += apart * count / total
        self.count = total


def _rounded(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def summary_of(kind: str, names: tuple[str, ...] = ()) -> Summary:
    """Make the empty summary of a kind of column."""
    if kind == "number":
        return NumberSummary()
    if kind == "category":
        return CategorySummary(names)
    return TimeSummary() if kind == "time" else CountSummary(kind)
