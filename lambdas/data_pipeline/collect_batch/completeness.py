"""Decides what of all that landed makes a complete batch, and what is still missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lambdas.data_pipeline.collect_batch.periods import (
    Month,
    consecutive_runs,
    month_text,
    months_of,
)
from lambdas.data_pipeline.contract import Unrecognised, WaitingFor
from pipeline_code.data_pipeline.contract import LANDING_PREFIX, BatchObject

Files = Mapping[str, Sequence[frozenset[Month]]]
"""The months of each periodic source's files."""


@dataclass(frozen=True)
class SourceRules:
    """Which sources a run waits for, which it takes along, and the code that reads them.

    The files of ``monthly`` sources cover calendar months; each other source is a reference.
    ``settle_seconds`` is how long nothing must have arrived: files come one by one, and each
    arrival starts an execution, which first waits that long. Only the last one finds quiet.
    """

    required: Sequence[str]
    optional: Sequence[str]
    code_version: str
    settle_seconds: int = 0
    monthly: Sequence[str] = ()

    def is_known(self, source: str) -> bool:
        """Tell whether the use case declares a source."""
        return source in self.required or source in self.optional


@dataclass(frozen=True)
class Selection:
    """The longest complete run of months with the references, and what is not in it."""

    objects: Sequence[BatchObject] = ()
    periods: Sequence[str] = ()
    waiting_for: Sequence[WaitingFor] = ()
    unrecognised: Sequence[Unrecognised] = field(default_factory=tuple)

    @property
    def is_complete(self) -> bool:
        """Tell whether there is a batch to run."""
        return bool(self.objects)


def select(landed: Sequence[BatchObject], rules: SourceRules) -> Selection:
    """Choose the batch out of the current versions of all landed files.

    The answer follows from what landed alone, whatever the order in which it did.
    """
    reasons = {entry["key"]: _why_unrecognised(entry, rules) for entry in landed}
    unrecognised = [
        Unrecognised(key=key, reason=reason) for key, reason in sorted(reasons.items()) if reason
    ]
    known = [entry for entry in landed if not reasons[entry["key"]]]
    seen = {entry["source"] for entry in known}
    awaited = [
        WaitingFor(source=source, period="") for source in rules.required if source not in seen
    ]
    run, missing = _complete_months(known, rules)
    # A source of which nothing has come at all is named once, not for each month.
    awaited += [
        WaitingFor(source=source, period=month_text(month))
        for source, month in missing
        if source in seen
    ]
    if any(not entry["period"] for entry in awaited) or (_needs_months(rules) and not run):
        return Selection(waiting_for=awaited, unrecognised=unrecognised)
    chosen = [entry for entry in known if _belongs(entry, run, rules)]
    edges = [month_text(min(run)), month_text(max(run))] if run else []
    return Selection(chosen, edges, awaited, unrecognised)


def longest_run(files: Files, months: frozenset[Month]) -> frozenset[Month]:
    """Find the longest run of consecutive months that files lying inside of it cover in full.

    Of two that are equally long, the later one. A file that reaches beyond the run does not count:
    its other months lack what belongs to them.
    """
    covered = [
        frozenset().union(*(each for each in source if each <= months)) for source in files.values()
    ]
    runs = consecutive_runs(months.intersection(*covered))
    if runs == [months]:
        return months
    return max(
        (longest_run(files, run) for run in runs),
        key=lambda run: (len(run), max(run, default=0)),
        default=frozenset(),
    )


def _complete_months(
    known: Sequence[BatchObject], rules: SourceRules
) -> tuple[frozenset[Month], list[tuple[str, Month]]]:
    """Give the run to take, and each month between first and last that a source lacks."""
    files = {
        source: [months_of(_name(entry)) for entry in known if entry["source"] == source]
        for source in rules.required
        if source in rules.monthly
    }
    every = frozenset[Month]().union(*(months for each in files.values() for months in each))
    if not every:
        return frozenset(), []
    span = range(min(every), max(every) + 1)
    missing = [
        (source, month)
        for source, each in files.items()
        for month in span
        if not any(month in months for months in each)
    ]
    return longest_run(files, every), missing


def _why_unrecognised(entry: BatchObject, rules: SourceRules) -> str:
    source = entry["source"]
    if not rules.is_known(source):
        known = ", ".join([*rules.required, *rules.optional])
        return f"{source!r} is no source of the use case; its sources are {known}"
    if source in rules.monthly and not months_of(_name(entry)):
        return (
            "its name does not say which months it covers: one of 2013-01, 2013 or 2013-01..2013-06"
        )
    return ""


def _needs_months(rules: SourceRules) -> bool:
    return any(source in rules.monthly for source in rules.required)


def _belongs(entry: BatchObject, run: frozenset[Month], rules: SourceRules) -> bool:
    return entry["source"] not in rules.monthly or months_of(_name(entry)) <= run


def _name(entry: BatchObject) -> str:
    return entry["key"].removeprefix(LANDING_PREFIX).rpartition("/")[2]
