"""`fourblocks dataset show`: a dataset version's origin, rows and distributions."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from cli.dataset_versions import MANIFEST_NAME, STATISTICS_NAME, find_dataset, read_document
from cli.distributions import columns_in_bars, draw
from cli.errors import NotThereError
from cli.screen import console, lines_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cli.target import Target

    Document = Mapping[str, Any]

BARS = 24
TOP_SHOWN = 5
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; color: #222 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .2rem .8rem }
tr:nth-child(even) { background: #f6f6f6 } rect { fill: #4a7ab5 } code { font-size: 90% }
"""


def show_dataset(
    target: Target, wanted: str, *, columns: Sequence[str], split: str | None, html: Path | None
) -> None:
    """Print a version's origin, its rows and its columns' distributions, or write them as HTML.

    Raises:
        NotThereError: there is no such version, column or split.

    """
    version = find_dataset(target, wanted)
    manifest = read_document(target, version, MANIFEST_NAME)
    statistics = read_document(target, version, STATISTICS_NAME)
    part = _part(statistics, split)
    chosen = _chosen(part["columns"], columns)
    if html is not None:
        html.write_text(page(manifest, statistics, chosen, split), encoding="utf-8")
        console.print(f"wrote {html}", markup=False)
        return
    console.print(lines_table(origin(manifest)))
    console.print(lines_table(rows(statistics), "split", "months", "rows", "label rate"))
    console.print(
        lines_table(sources(manifest), "source", "contract", "files", "rows", "aside", "lag")
    )
    console.print(
        lines_table(column_lines(chosen), "column", "kind", "nulls", "range", "distribution")
    )


def _part(statistics: Document, split: str | None) -> Document:
    if split is None:
        return dict(statistics["overall"])
    if split not in statistics["splits"]:
        message = f"No split {split!r}; there are: {', '.join(statistics['splits'])}"
        raise NotThereError(message)
    return dict(statistics["splits"][split])


def _chosen(columns: Document, wanted: Sequence[str]) -> Document:
    unknown = [name for name in wanted if name not in columns]
    if unknown:
        message = f"No column {unknown[0]!r}; there are: {', '.join(columns)}"
        raise NotThereError(message)
    return {name: columns[name] for name in wanted} if wanted else columns


def origin(manifest: Document) -> Iterator[tuple[str, str]]:
    """Say where a version comes from."""
    made = manifest["provenance"]
    yield "dataset", manifest["dataset_id"]
    yield "made of", f"batch {made['batch_id']}, {len(made['objects'])} files, run {made['run_id']}"
    yield "by", f"code {made['code_version']} of commit {made['code_commit']} on {made['engine']}"
    yield (
        "trainable",
        "yes" if made["trainable"] else f"no: {'; '.join(made['untrainable_because'])}",
    )
    outside = made["rows_outside_splits"]
    if outside:
        months = ", ".join(f"{month} {count:,}" for month, count in outside.items())
        yield "in no split", months


def rows(statistics: Document) -> Iterator[tuple[str, ...]]:
    """Count each split's rows."""
    for name, part in statistics["splits"].items():
        months = sorted(m for m, each in statistics["periods"].items() if each["split"] == name)
        spread = f"{months[0]}..{months[-1]}" if months else ""
        yield name, spread, f"{part['rows']:,}", _share(part["label_rate"])


def sources(manifest: Document) -> Iterator[tuple[str, ...]]:
    """Say what became of each source's records."""
    for name, source in sorted(manifest["provenance"]["sources"].items()):
        lag = source["lag_hours"]
        yield (
            name,
            f"v{source['contract_version']}",
            f"{source['files_read']:,}",
            f"{source['rows_read']:,}",
            f"{source['rows_quarantined']:,} records, {source['files_quarantined']:,} files",
            "" if lag is None else f"{lag:g} h{' (stale)' if source['stale'] else ''}",
        )


def column_lines(columns: Document) -> Iterator[tuple[str, ...]]:
    """Draw each column's distribution in one line."""
    for name, column in columns.items():
        total = column["count"] + column["nulls"]
        nulls = _share(column["nulls"] / total if total else None)
        yield name, column["kind"], nulls, _range(column), _distribution(column)


def _range(column: Document) -> str:
    if "min" in column:
        return f"{column['min']:.5g} .. {column['max']:.5g}, mean {column['mean']:.4g}"
    if "first" in column:
        return f"{column['first']} .. {column['last']}"
    return f"{column['distinct']} values" if "distinct" in column else ""


def _distribution(column: Document) -> str:
    if "histogram" in column:
        return draw(columns_in_bars(column["histogram"], BARS))
    top = column.get("top", [])[:TOP_SHOWN]
    return ", ".join(f"{value} {_share(count / column['count'])}" for value, count in top)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def page(manifest: Document, statistics: Document, columns: Document, split: str | None) -> str:
    """Write a version as one HTML page that needs nothing else."""
    title = f"Dataset {manifest['dataset_id'][:12]}"
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        f"<title>{escape(title)}</title><style>{STYLE}</style><h1>{escape(title)}</h1>",
        _html_table(origin(manifest)),
        "<h2>Rows</h2>",
        _html_table(rows(statistics), "split", "months", "rows", "label rate"),
        "<h2>Sources</h2>",
        _html_table(sources(manifest), "source", "contract", "files", "rows", "aside", "lag"),
        f"<h2>Columns of {escape(split or 'all splits')}</h2>",
        "<table><tr><th>column<th>kind<th>nulls<th>range<th>distribution</tr>",
        *(
            _html_row([*line[:-1]], _picture(columns[line[0]], line[-1]))
            for line in column_lines(columns)
        ),
        "</table></html>",
    ]
    return "\n".join(parts)


def _html_table(lines: Iterator[tuple[str, ...]], *headers: str) -> str:
    head = "".join(f"<th>{escape(each)}" for each in headers)
    return f"<table><tr>{head}</tr>{''.join(_html_row(line) for line in lines)}</table>"


def _html_row(cells: Sequence[str], last: str = "") -> str:
    return f"<tr>{''.join(f'<td>{escape(cell)}' for cell in cells)}<td>{last}</tr>"


def _picture(column: Document, words: str) -> str:
    if "histogram" not in column:
        return escape(words)
    counts = columns_in_bars(column["histogram"], 2 * BARS)
    highest = max(counts, default=1.0) or 1.0
    bars = "".join(
        f"<rect x='{4 * place}' y='{40 - 40 * count / highest:.1f}' width='3.5' "
        f"height='{40 * count / highest:.1f}'/>"
        for place, count in enumerate(counts)
    )
    return f"<svg width='{8 * BARS}' height='40' role='img'>{bars}</svg>"
