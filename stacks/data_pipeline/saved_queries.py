"""The saved queries: some that every use case needs, and those of the use case's own folder."""

from __future__ import annotations

from typing import NamedTuple

from pipeline_code.data_pipeline.contract import DATASET_TABLE, LABEL_TABLE, QUARANTINE_TABLE
from pipeline_code.use_case import UseCase, load_queries

_EXPLAINS = "--"


class SavedQuery(NamedTuple):
    """A query by name."""

    name: str
    description: str
    sql: str


def saved_queries(use_case: UseCase) -> tuple[SavedQuery, ...]:
    """Give all saved queries; those of the use case begin with a comment that explains them."""
    own = tuple(_of_use_case(name, text) for name, text in load_queries(use_case.name).items())
    return (*_generic(use_case), *own)


def _of_use_case(name: str, text: str) -> SavedQuery:
    first, _, sql = text.partition("\n")
    if not first.startswith(_EXPLAINS):
        message = f"{name}.sql: the first line is {first!r}, must be a comment: -- what it tells"
        raise ValueError(message)
    return SavedQuery(name, first.removeprefix(_EXPLAINS).strip(), sql.strip())


def _generic(use_case: UseCase) -> tuple[SavedQuery, ...]:
    return (
        SavedQuery(
            "dataset_rows",
            "Rows and share of events of each dataset version, by split and month.",
            "SELECT dataset, split, period, count(*) AS entities, avg(label) AS event_share\n"
            f"FROM {DATASET_TABLE}\nGROUP BY dataset, split, period\n"
            "ORDER BY dataset, period",
        ),
        SavedQuery(
            "quarantined_records",
            "Broken records and files by source, run, rule and column.",
            'SELECT source, run, rule, "column", count(*) AS entries, sum(records) AS records,\n'
            "  min(source_file) AS a_file, min(reason) AS a_reason\n"
            f'FROM {QUARANTINE_TABLE}\nGROUP BY source, run, rule, "column"\n'
            "ORDER BY records DESC NULLS LAST",
        ),
        SavedQuery(
            "source_freshness",
            "Files and records of each raw source, and when the newest file arrived.",
            "\nUNION ALL\n".join(_freshness(source) for source in use_case.sources)
            + "\nORDER BY source",
        ),
        SavedQuery(
            "outcomes_by_day",
            "Outcomes by the day on which the platform heard of them.",
            "SELECT date_trunc('day', known_at) AS known, count(*) AS entities,\n"
            f"  avg(label) AS event_share\nFROM {LABEL_TABLE}\n"
            "GROUP BY date_trunc('day', known_at)\nORDER BY known",
        ),
    )


def _freshness(source: str) -> str:
    figures = (
        'count(DISTINCT "$path") AS files, count(*) AS records,\n'
        '  max("$file_modified_time") AS newest_arrival'
    )
    # A source's name is a word of lower case letters, checked by its contract.
    return f"SELECT '{source}' AS source, {figures} FROM {source}"  # noqa: S608
