"""Early stopping of training jobs by the median rule.

A job is stopped when its objective is worse than the median, over the jobs that have ended, of
their running averages up to the same number of reported values.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

FEWEST_PEERS = 3


class MedianRule:
    """Remembers what each training job reported."""

    def __init__(self, *, maximise: bool) -> None:
        self._maximise = maximise
        self._running: dict[str, list[float]] = {}
        self._ended: list[list[float]] = []

    def is_behind(self, job: str, value: float) -> bool:
        """Take a job's next value; tell whether the job should stop."""
        reported = self._running.setdefault(job, [])
        reported.append(value)
        peers = [each for each in self._ended if len(each) >= len(reported)]
        if len(peers) < FEWEST_PEERS:
            return False
        usual = median(_average(each, len(reported)) for each in peers)
        return value < usual if self._maximise else value > usual

    def end(self, job: str) -> None:
        """Count a job among those that others are measured by."""
        reported = self._running.pop(job, [])
        if reported:
            self._ended.append(reported)


def _average(values: Sequence[float], count: int) -> float:
    return fmean(values[:count])
