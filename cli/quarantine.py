"""`fourblocks quarantine`: which records were put aside, why, and landing a corrected file."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.table import Table

from cli.datasets import list_objects, read_object
from cli.errors import NotThereError
from cli.ingestion import LANDING_PREFIX, SourceFile, file_digest, land_and_follow
from cli.screen import console, lines_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cli.target import Target

PREFIX = "quarantine/"
RECORDS_KEY = re.compile(r"quarantine/(?P<source>[^/]+)/run=(?P<run_id>[^/]+)/[^/_.][^/]*\.json")
SHOWN = ("source_file", "line", "rule", "column", "value", "reason")


class Place(NamedTuple):
    """The records of one source that one run put aside."""

    source: str
    run_id: str


def list_quarantine(target: Target, *, source: str | None, run_id: str | None) -> None:
    """Print how many records each run put aside, by source and rule."""
    found = _places(target, source, run_id)
    if not found:
        console.print("Nothing is in quarantine.")
        return
    table = Table("run", "source", "rule", "records", "files", box=None)
    for place, keys in found.items():
        entries = list(_all_entries(target, {place: keys}))
        for rule, count in Counter(entry["rule"] for entry in entries).most_common():
            files = {entry["source_file"] for entry in entries if entry["rule"] == rule}
            names = ", ".join(sorted(Path(name).name for name in files))
            table.add_row(place.run_id, place.source, rule, f"{count:,}", names)
    console.print(table)
    console.print(f"Each record with its reason: {target.command('quarantine show RUN')}")


def show_quarantine(target: Target, run_id: str, *, source: str | None, limit: int) -> None:
    """Print the records that a run put aside: file, line, column, value and reason.

    Raises:
        NotThereError: the run put nothing aside.

    """
    found = _places(target, source, run_id)
    if not found:
        message = (
            f"Run {run_id} put nothing of {source or 'any source'} aside. "
            f"All runs: {target.command('quarantine list')}"
        )
        raise NotThereError(message)
    entries = list(_all_entries(target, found))
    lines = ([_text(entry.get(name)) for name in SHOWN] for entry in entries[:limit])
    console.print(lines_table(lines, *SHOWN))
    console.print(f"{len(entries[:limit]):,} of {len(entries):,} entries; more with --limit")


def replay(target: Target, source: str, file: Path) -> None:
    """Land a corrected file in place of the one that was quarantined, and follow its run.

    Raises:
        NotThereError: there is no such file, or none of that name has landed for the source.

    """
    corrected = _correction(target, source, file)
    before = _newest_entries(target, corrected.key)
    outcome = land_and_follow(target, [corrected])
    if outcome.status == "published":
        place = _places(target, source, outcome.run_id)
        entries = _all_entries(target, place)
        after = len([entry for entry in entries if entry["source_file"] == corrected.key])
        console.print(
            f"  {corrected.key}: {before:,} entries were in quarantine, now {after:,}", markup=False
        )


def _correction(target: Target, source: str, file: Path) -> SourceFile:
    if not file.is_file():
        message = f"There is no file {file}. Give the corrected file, named as the one it replaces."
        raise NotThereError(message)
    key = f"{LANDING_PREFIX}{source}/{file.name}"
    bucket = target.output("Foundation", "RawLakeBucketName")
    landed = {item.key for item in list_objects(target, bucket, f"{LANDING_PREFIX}{source}/")}
    if key not in landed:
        names = ", ".join(sorted(Path(name).name for name in landed)) or "none"
        message = (
            f"No file {file.name!r} of source {source!r} has landed, so there is none to correct. "
            f"Landed: {names}. A new file is ingested: {target.command('ingest FOLDER')}"
        )
        raise NotThereError(message)
    return SourceFile(file, key, file_digest(file), file.stat().st_size)


def _newest_entries(target: Target, landed_key: str) -> int:
    """Count the entries of a landed file in the newest run that put some of it aside."""
    source = landed_key.removeprefix(LANDING_PREFIX).split("/")[0]
    for place, keys in reversed(_places(target, source, None).items()):
        entries = _all_entries(target, {place: keys})
        count = len([entry for entry in entries if entry["source_file"] == landed_key])
        if count:
            return count
    return 0


def _places(target: Target, source: str | None, run_id: str | None) -> dict[Place, list[str]]:
    """Find the quarantine's objects by source and run, the newest last."""
    bucket = target.output("Foundation", "RawLakeBucketName")
    prefix = f"{PREFIX}{source}/" if source else PREFIX
    found: dict[Place, list[str]] = {}
    for item in sorted(list_objects(target, bucket, prefix), key=lambda item: item.modified):
        place = _place(item.key)
        if place and (run_id is None or place.run_id == run_id):
            found.setdefault(place, []).append(item.key)
    return found


def _place(key: str) -> Place | None:
    """Read source and run out of a key; Spark's markers hold no records."""
    match = RECORDS_KEY.fullmatch(key)
    return Place(match["source"], match["run_id"]) if match else None


def _all_entries(target: Target, places: Mapping[Place, list[str]]) -> Iterator[dict[str, Any]]:
    bucket = target.output("Foundation", "RawLakeBucketName")
    for keys in places.values():
        for key in keys:
            lines = (read_object(target, bucket, key) or "").splitlines()
            yield from (json.loads(line) for line in lines if line.strip())


def _text(value: object) -> str:
    return "" if value is None else str(value)
