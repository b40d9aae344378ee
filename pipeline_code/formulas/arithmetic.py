"""Operations on single doubles as columns do them: no exceptions, NaN and infinity instead."""

from __future__ import annotations

import math
from datetime import date
from functools import lru_cache

MINUTES_OF_DAY = {
    f"T{hour:02d}:{minute:02d}": hour * 60 + minute for hour in range(24) for minute in range(60)
}
DATE_CHARACTERS = 10
EPOCH_ORDINAL = 719_163
CACHED_DAYS = 4096


class NoMomentError(ValueError):
    """A text is no ``YYYY-MM-DDTHH:MM``."""


def divided_by_zero(part: float, zero: float) -> float:
    """Divide by 0.0 or -0.0."""
    if part == 0 or part != part:  # noqa: PLR0124 - that is how NaN is told
        return math.nan
    return math.copysign(math.inf, part) * math.copysign(1.0, zero)


def sine(angle: float) -> float:
    """Take the sine; of infinity NaN."""
    return math.sin(angle) if math.isfinite(angle) else math.nan


def cosine(angle: float) -> float:
    """Take the cosine; of infinity NaN."""
    return math.cos(angle) if math.isfinite(angle) else math.nan


def minutes_since_epoch(text: str | None) -> float:
    """Read ``YYYY-MM-DDTHH:MM`` as minutes since 1970; null as NaN."""
    if text is None:
        return math.nan
    minute = MINUTES_OF_DAY.get(text[DATE_CHARACTERS:])
    if minute is None:
        raise NoMomentError(text)
    return _midnight(text[:DATE_CHARACTERS]) + minute


@lru_cache(maxsize=CACHED_DAYS)
def _midnight(text: str) -> float:
    if text[4:8:3] != "--":  # a week's day is an ISO date as well
        raise NoMomentError(text)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise NoMomentError(text) from error
    return (day.toordinal() - EPOCH_ORDINAL) * 1440.0
