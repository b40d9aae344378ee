"""The contracts of a use case as Markdown, for people."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_code.source_contract import PERSONAL_NOTE, Field, SourceContract
from pipeline_code.use_case import UseCase

FEW_VALUES = 12


def document(use_case: UseCase) -> str:
    """Write a page: a section a source, a table a section."""
    lines = [
        f"# Contracts of {use_case.name}",
        "",
        f"Generated: `python -m pipeline_code.contracts document {use_case.name}`.",
    ]
    for source in use_case.sources.values():
        lines += _source(source)
    lines += ["", f"## A request, version {use_case.inputs_version}", ""]
    for group, fields in use_case.inputs.items():
        lines += [f"### {group}", "", *_table(tuple(fields.values())), ""]
    return "\n".join(lines).rstrip() + "\n"


def _source(source: SourceContract) -> Iterator[str]:
    yield from ("", f"## Source {source.name}, version {source.version}", "", source.description)
    yield from ("", *(f"- {sentence}." for sentence in _rules(source)), "")
    yield from _table(source.columns)


def _rules(source: SourceContract) -> Iterator[str]:
    need = "Required" if source.required else "Optional"
    every = f"files cover a {source.arrival_every} each" if source.arrival_every else "one file"
    yield f"{need}; {source.format}, null is `{source.null_value}`; {every}"
    if source.pull:
        yield f"Pulled from `{source.pull.uri}`, `{source.pull.schedule}`"
    yield f"Key: {', '.join(source.key)}"
    for reference in source.references:
        absent = ", ".join(reference.known_absent)
        but = f", but for {absent}" if absent else ""
        yield f"{reference.column} is a {reference.key} of {reference.source}{but}"
    if source.freshness:
        fresh = source.freshness
        yield (
            f"Its newest {fresh.column} lies at most {fresh.max_lag_hours:g} h behind the newest"
            " record of the batch; else the dataset is not trained on"
        )
    yield (
        f"Rejected over {source.max_quarantined_share:.0%} of broken records or"
        f" {source.max_quarantined_files_share:.0%} of broken files"
    )


def _table(columns: tuple[Field, ...]) -> Iterator[str]:
    yield "| Column | Type | Null | Values | Meaning |"
    yield "|---|---|---|---|---|"
    for column in columns:
        cells = (column.name, column.type, _null(column), _values(column), _meaning(column))
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _null(column: Field) -> str:
    if column.optional:
        return "yes, or no such column"
    return "yes" if column.nullable else "no"


def _values(column: Field) -> str:
    if column.minimum is not None and column.maximum is not None:
        return f"{column.minimum:g} to {column.maximum:g} {column.unit}".strip()
    listed = ", ".join(column.allowed[:FEW_VALUES])
    more = len(column.allowed) - FEW_VALUES
    return f"{listed} and {more} more" if more > 0 else listed or column.unit


def _meaning(column: Field) -> str:
    return f"{column.description} {PERSONAL_NOTE}" if column.personal else column.description
