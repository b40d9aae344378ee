"""``statistics.json``: figures of a dataset, summed up file by file as they are written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline_code.data_pipeline.column_statistics import Summary, summary_of
from pipeline_code.data_pipeline.contract import (
    ENTITY_COLUMN,
    EVENT_TIME_COLUMN,
    LABEL_COLUMN,
    DatasetStatistics,
    PartStatistics,
    PeriodStatistics,
)
from pipeline_code.use_case import UseCase

Summaries = dict[str, Summary]


class WrittenFile(NamedTuple):
    """A file of the dataset and the state of its columns' summaries."""

    split: str
    period: str
    rows: int
    columns: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, path: str, rows: int, state: str) -> WrittenFile:
        """Read split and period out of ``split=<split>/period=<period>/<file>``."""
        split, period = (part.split("=", 1)[1] for part in path.split("/")[:2])
        return cls(split, period, rows, json.loads(state))


class FileSummary:
    """Sums up the rows of one file."""

    def __init__(self, use_case: UseCase, schema: Iterable[str]) -> None:
        self._summaries = empty_summaries(use_case, schema)

    def add(self, rows: pa.Table) -> None:
        """Take rows along."""
        for name, summary in self._summaries.items():
            summary.add(rows.column(name).combine_chunks())

    def to_json(self) -> str:
        """Spell the state, from which ``dataset_statistics`` goes on."""
        return json.dumps({name: summary.state() for name, summary in self._summaries.items()})


def empty_summaries(use_case: UseCase, schema: Iterable[str]) -> Summaries:
    """Choose for each column of the dataset how it is summed up."""
    vocabularies = use_case.features().CATEGORIES
    kinds = column_kinds(use_case, schema)
    return {name: summary_of(kind, vocabularies.get(name, ())) for name, kind in kinds.items()}


def column_kinds(use_case: UseCase, schema: Iterable[str]) -> dict[str, str]:
    """Tell numbers, categories and times from columns whose values no statistics may show."""
    sources = [column for source in use_case.sources.values() for column in source.columns]
    personal = {field.name for field in (*sources, *use_case.input_fields) if field.personal}
    known = dict.fromkeys((*use_case.slices, *use_case.features().CATEGORIES), "category")
    known |= {ENTITY_COLUMN: "key", EVENT_TIME_COLUMN: "time"} | dict.fromkeys(personal, "personal")
    return {name: known.get(name, "number") for name in schema}


def dataset_statistics(
    use_case: UseCase, schema: Iterable[str], dataset_id: str, files: Iterable[WrittenFile]
) -> DatasetStatistics:
    """Put the files' summaries together: over all, by split and by period."""
    columns = list(schema)
    in_order = sorted(files, key=lambda file: (file.split, file.period))
    splits = sorted({file.split for file in in_order})
    parts = {
        split: _put_together(use_case, columns, [f for f in in_order if f.split == split])
        for split in splits
    }
    overall = _put_together(use_case, columns, in_order)
    widths = {name: summary.bin_width() for name, summary in overall.items()}
    return DatasetStatistics(
        dataset_id=dataset_id,
        overall=_part(overall, widths),
        splits={split: _part(summaries, widths) for split, summaries in parts.items()},
        periods={file.period: _period(file) for file in in_order},
    )


def _put_together(
    use_case: UseCase, columns: Iterable[str], files: Iterable[WrittenFile]
) -> Summaries:
    summaries = empty_summaries(use_case, columns)
    for file in files:
        for name, summary in summaries.items():
            summary.merge(file.columns[name])
    return summaries


def _part(summaries: Summaries, widths: Mapping[str, float | None]) -> PartStatistics:
    columns = {name: one.statistics(widths[name]) for name, one in summaries.items()}
    label = columns[LABEL_COLUMN]
    return PartStatistics(
        rows=label["count"] + label["nulls"], label_rate=label.get("mean"), columns=columns
    )


def _period(file: WrittenFile) -> PeriodStatistics:
    label = summary_of("number")
    label.merge(file.columns[LABEL_COLUMN])
    rate = label.statistics(None).get("mean")
    return PeriodStatistics(split=file.split, rows=file.rows, label_rate=rate)
