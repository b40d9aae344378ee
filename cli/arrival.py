"""What the data pipeline still waits for, and which landed files it does not recognise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from cli.screen import console

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def tell_arrival(batch: Mapping[str, Any]) -> None:
    """Print what is awaited, source by source, and each file that no run reads, with the reason."""
    awaited = awaited_text(batch.get("waiting_for", []))
    if awaited and batch.get("status") == "waiting":
        console.print(f"  waiting for {awaited}: nothing runs before")
    elif awaited:
        months = "..".join(dict.fromkeys(batch.get("periods", [])))
        console.print(f"  {months or 'what is there'} is complete; still awaited: {awaited}")
    for entry in batch.get("unrecognised", []):
        console.print(f"  not read: {escape(entry['key'])}: {escape(entry['reason'])}")


def awaited_text(awaited: Sequence[Mapping[str, str]]) -> str:
    """Write what is awaited in one line: `weather 2013-02, 2013-03; the source aircraft`."""
    periods: dict[str, list[str]] = {}
    for entry in awaited:
        periods.setdefault(entry["source"], []).append(entry["period"])
    parts = [
        f"{source} {', '.join(months)}" if any(months) else f"the source {source}"
        for source, months in sorted(periods.items())
    ]
    return "; ".join(parts)
