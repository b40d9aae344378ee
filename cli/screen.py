"""What the operator sees: a live table on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

RowState = Literal["waiting", "running", "done", "failed"]
MARKS: dict[RowState, str] = {"waiting": "·", "running": "▶", "done": "✔", "failed": "✘"}
STYLES: dict[RowState, str] = {
    "waiting": "dim",
    "running": "cyan",
    "done": "green",
    "failed": "red",
}
HEARTBEAT_SECONDS = 15.0
DETAIL_WIDTH = 90

LOG_WIDTH = 140
"""Columns of a log, where no terminal says how wide it is."""

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else LOG_WIDTH)


class Row(NamedTuple):
    """One thing that is going on."""

    label: str
    state: RowState
    seconds: float
    detail: str = ""


class Watch:
    """Shows rows as they change; on a terminal in place, elsewhere one line a change."""

    def __init__(self, screen: Console, *, in_place: bool) -> None:
        """Write to `screen`."""
        self._screen = screen
        self._in_place = in_place
        self._rows: Callable[[], Sequence[Row]] = list
        self._shown: dict[str, RowState] = {}
        self._spoken = time.monotonic()

    def show(self, rows: Callable[[], Sequence[Row]]) -> None:
        """Show rows from now on; a terminal asks for them again as time passes."""
        self._rows = rows
        if not self._in_place:
            self._write_changes(rows())

    def table(self) -> Table:
        """Lay the rows out as they are now."""
        return rows_table(self._rows())

    def _write_changes(self, rows: Sequence[Row]) -> None:
        changed = [row for row in rows if self._shown.get(row.label) != row.state]
        for row in changed or self._heartbeat(rows):
            self._screen.print(row_line(row), markup=False)
            self._shown[row.label] = row.state
            self._spoken = time.monotonic()

    def _heartbeat(self, rows: Sequence[Row]) -> list[Row]:
        if time.monotonic() - self._spoken < HEARTBEAT_SECONDS:
            return []
        return [row for row in rows if row.state == "running"]


def row_line(row: Row) -> str:
    """Write one row as a line of a log."""
    text = f"  {MARKS[row.state]} {row.label} {duration(row.seconds)}".rstrip()
    return f"{text}  {row.detail[:DETAIL_WIDTH]}".rstrip()


def rows_table(rows: Sequence[Row]) -> Table:
    """Lay rows out as a table without borders."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(width=2)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="ellipsis", no_wrap=True, style="dim")
    for row in rows:
        style = STYLES[row.state]
        mark = Text(MARKS[row.state], style=style)
        table.add_row(mark, Text(row.label), duration(row.seconds), Text(row.detail))
    return table


def lines_table(lines: Iterable[Sequence[str]], *headers: str) -> Table:
    """Lay lines of cells out as a table; brackets in them are text, not markup."""
    table = Table(*headers, box=None, show_header=any(headers))
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    return table


def duration(seconds: float) -> str:
    """Write a duration as a person would."""
    if seconds < 0.05:  # noqa: PLR2004 - below what one digit shows
        return ""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


@contextmanager
def watching(screen: Console = console) -> Iterator[Watch]:
    """Open a display of rows for as long as the block runs."""
    watch = Watch(screen, in_place=screen.is_terminal)
    if not screen.is_terminal:
        yield watch
        return
    with Live(console=screen, refresh_per_second=8, get_renderable=watch.table):
        yield watch


class StepDisplay:
    """One running step; `say` tells what it is at."""

    def __init__(self, label: str, watch: Watch) -> None:
        """Start the step's clock."""
        self._label = label
        self._watch = watch
        self._started = time.monotonic()
        self._detail = ""

    def say(self, detail: str) -> None:
        """Show what the step is doing."""
        self._detail = detail
        self._watch.show(lambda: [self._row("running")])

    def finish(self, state: RowState) -> None:
        """Show how the step ended."""
        row = self._row(state)._replace(detail="")
        self._watch.show(lambda: [row])

    def _row(self, state: RowState) -> Row:
        return Row(self._label, state, time.monotonic() - self._started, self._detail)


@contextmanager
def one_step(label: str, screen: Console = console) -> Iterator[StepDisplay]:
    """Show one step with its elapsed time and what it says of itself."""
    with watching(screen) as watch:
        display = StepDisplay(label, watch)
        display.say("")
        try:
            yield display
        except BaseException:
            display.finish("failed")
            raise
        display.finish("done")
