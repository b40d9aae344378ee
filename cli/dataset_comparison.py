"""`fourblocks dataset diff`: what changed from one dataset version to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.dataset_versions import (
    MANIFEST_NAME,
    SHORT,
    STATISTICS_NAME,
    find_dataset,
    read_document,
)
from cli.distributions import Shift, shift
from cli.screen import console, lines_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cli.target import Target

    Document = Mapping[str, Any]

NOTABLE_PSI = 0.1
LARGE_PSI = 0.25


def compare_datasets(target: Target, before: str, after: str, *, limit: int) -> None:
    """Print differences of origin, schema, rows and distributions.

    Raises:
        NotThereError: there is no such version.

    """
    versions = [find_dataset(target, wanted) for wanted in (before, after)]
    if versions[0]["dataset_id"] == versions[1]["dataset_id"]:
        console.print(f"Both are dataset {versions[0]['dataset_id']}: nothing differs.")
        return
    manifests = [read_document(target, each, MANIFEST_NAME) for each in versions]
    statistics = [read_document(target, each, STATISTICS_NAME) for each in versions]
    names = [str(each["dataset_id"])[:SHORT] for each in versions]
    console.print(lines_table(origin_changes(*manifests), "", *names))
    console.print(lines_table(schema_changes(manifests[0]["schema"], manifests[1]["schema"])))
    console.print(lines_table(row_changes(*statistics), "split", *names, "change", "label rate"))
    shifts = column_shifts(statistics[0]["overall"], statistics[1]["overall"])
    console.print(lines_table(shift_lines(shifts[:limit]), "column", "PSI", "KS", *names, ""))
    moved = sum(each.psi >= NOTABLE_PSI for each in shifts)
    console.print(f"{moved} of {len(shifts)} columns moved (PSI ≥ {NOTABLE_PSI:g})")


def origin_changes(before: Document, after: Document) -> Iterator[tuple[str, str, str]]:
    """Say what of the origin differs: code, engine, contracts, source files."""
    made = before["provenance"], after["provenance"]
    for name in ("code_commit", "code_version", "engine", "batch_id"):
        if made[0][name] != made[1][name]:
            yield name.replace("_", " "), str(made[0][name]), str(made[1][name])
    contracts = (
        {f"contract {name}": f"v{version}" for name, version in each["contract_versions"].items()}
        for each in (before, after)
    )
    yield from _changed(*contracts)
    files = ({each["key"]: each["etag"][:SHORT] for each in part["objects"]} for part in made)
    yield from _changed(*files)


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield name, before.get(name, "-"), after.get(name, "-")


def schema_changes(before: Document, after: Document) -> Iterator[tuple[str, ...]]:
    """Say which columns came, went or changed their type."""
    for name in sorted({*before, *after}):
        if name not in before:
            yield f"+ {name}", str(after[name])
        elif name not in after:
            yield f"- {name}", str(before[name])
        elif before[name] != after[name]:
            yield f"~ {name}", f"{before[name]} → {after[name]}"


def row_changes(before: Document, after: Document) -> Iterator[tuple[str, ...]]:
    """Compare each split's rows and label rate."""
    for name in dict.fromkeys([*before["splits"], *after["splits"]]):
        parts = [
            each["splits"].get(name, {"rows": 0, "label_rate": None}) for each in (before, after)
        ]
        counts = [part["rows"] for part in parts]
        rates = [_rate(part["label_rate"]) for part in parts]
        change = f"{counts[1] - counts[0]:+,}"
        yield name, f"{counts[0]:,}", f"{counts[1]:,}", change, f"{rates[0]} → {rates[1]}"


def column_shifts(before: Document, after: Document) -> list[Shift]:
    """Compare the distributions of the columns that both have, the most moved first."""
    columns = before["columns"], after["columns"]
    found = (shift(n, columns[0][n], columns[1][n]) for n in columns[0] if n in columns[1])
    return sorted((each for each in found if each), key=lambda each: -each.psi)


def shift_lines(shifts: list[Shift]) -> Iterator[tuple[str, ...]]:
    """Write shifts as lines of a table."""
    for each in shifts:
        distance = "" if each.ks is None else f"{each.ks:.3f}"
        yield each.column, f"{each.psi:.3f}", distance, each.before, each.after, _verdict(each.psi)


def _verdict(psi: float) -> str:
    if psi >= LARGE_PSI:
        return "large"
    return "notable" if psi >= NOTABLE_PSI else ""


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
