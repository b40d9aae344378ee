"""Which calendar months a file covers, as its name says."""

from __future__ import annotations

import re
from collections.abc import Iterable

Month = int
"""Months since the year 0, so that neighbours differ by one."""

_YEAR = r"(?:19|20)\d\d"
_PERIOD = rf"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?"
_COVERED = re.compile(rf"(?<!\d)(?<!\d\d-)({_PERIOD})(?:\.\.({_PERIOD}))?(?![\d]|-\d|\.\.\d)")
_DIGITS = re.compile(r"\d{4,}")
MONTHS_A_YEAR = 12


def months_of(name: str) -> frozenset[Month]:
    """Read the months of `…2013-01…`, `…2013…` or `…2013-01..2013-06…`; none if it says none.

    A name that says two periods, or a day, says none: guessing would make a month look complete.
    """
    found = _COVERED.findall(name)
    rest = _COVERED.sub("", name)
    if len(found) != 1 or _DIGITS.search(rest):
        return frozenset()
    first, last = found[0]
    return frozenset(range(_first(first), _last(last or first) + 1))


def month_text(month: Month) -> str:
    """Write a month as `2013-01`."""
    return f"{month // MONTHS_A_YEAR:04d}-{month % MONTHS_A_YEAR + 1:02d}"


def consecutive_runs(months: Iterable[Month]) -> list[frozenset[Month]]:
    """Split months where one is missing, the earliest run first."""
    runs: list[list[Month]] = []
    for month in sorted(months):
        if runs and runs[-1][-1] == month - 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return [frozenset(run) for run in runs]


def _first(period: str) -> Month:
    year, _, month = period.partition("-")
    return int(year) * MONTHS_A_YEAR + (int(month) - 1 if month else 0)


def _last(period: str) -> Month:
    year, _, month = period.partition("-")
    return int(year) * MONTHS_A_YEAR + (int(month) - 1 if month else MONTHS_A_YEAR - 1)
