"""How an estimate is shown: a table for a person, Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from cli.cost.difference import Change
from cli.cost.estimate import Estimate

SMALLEST = 0.005
"""Less than a cent is shown as such."""


def money(usd: float) -> str:
    """Write an amount of money."""
    return "< 0.01" if 0 < usd < SMALLEST else f"{usd:,.2f}"


def estimate_table(found: Estimate) -> Table:
    """Lay an estimate out, block by block, with what is paid for nothing beside it."""
    table = Table("block", "what", "a month", "unit", "USD", "idle USD", box=None)
    for column in (2, 4, 5):
        table.columns[column].justify = "right"
    for line in found.lines:
        idle = money(line.usd) if line.idle else ""
        much = f"{line.quantity:,.2f}".rstrip("0").rstrip(".")
        table.add_row(line.block, line.kind, much, line.price.per, money(line.usd), idle)
    table.add_section()
    table.add_row("all", "", "", "", money(found.usd), money(found.idle_usd))
    return table


def unpriced_note(found: Estimate) -> str:
    """Say which resources are missing in the estimate; nothing where none is."""
    if not found.unpriced:
        return ""
    named = ", ".join(f"{count} {kind}" for kind, count in sorted(found.unpriced.items()))
    return f"Not priced, add them to cli/cost/prices.yaml: {named}"


def difference_table(changes: Sequence[Change]) -> Table:
    """Lay out what a change does to the bill."""
    table = Table("block", "what", "before", "after", "USD a month", box=None)
    for column in (2, 3, 4):
        table.columns[column].justify = "right"
    for each in changes:
        table.add_row(
            each.block, each.kind, f"{each.before:,.2f}", f"{each.after:,.2f}", f"{each.usd:+,.2f}"
        )
    return table


def verdict(environment: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    """Say in one line what a change does to the bill."""
    old, new = before["usd_per_month"], after["usd_per_month"]
    if abs(new - old) < SMALLEST:
        return f"{environment} costs ${new:,.2f} a month, as before."
    more = "more" if new > old else "less"
    return f"{environment} costs ${new:,.2f} a month, ${abs(new - old):,.2f} {more} than before."


def markdown(line: str, changes: Sequence[Change], origin: str) -> str:
    """Write the difference as a pull request's comment."""
    rows = [
        f"| {each.block} | {each.kind} "
        f"| {each.before:,.2f} | {each.after:,.2f} | {each.usd:+,.2f} |"
        for each in changes
    ]
    head = ["", "| block | what | before | after | USD a month |", "|---|---|--:|--:|--:|"]
    return "\n".join([f"**{line}**", *(head + rows if rows else []), "", f"_{origin}._"])
