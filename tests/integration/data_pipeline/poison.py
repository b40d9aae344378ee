"""Poisons a source's files from a seed: every way to break its contract, and where it was."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice

from pipeline_code.use_case import Field, SourceContract

Row = list[str]
Entry = tuple[str, int, str, str]
"""Source file, line, rule, column."""
ROWS_OF_A_FILE = 45
SHARE_OF_FILES = 0.05
LATER = "z-again"
"""Files of this name hold records that were delivered before."""


@dataclass(frozen=True)
class Poison:
    """One way to break a record; ``spoil`` turns a good row into the bytes of a broken line."""

    rule: str
    column: str
    spoil: Callable[[Row], bytes]


@dataclass
class Poisoned:
    """Files by name, what must be found in them, and what must not."""

    files: dict[str, bytes] = field(default_factory=dict)
    records: set[Entry] = field(default_factory=set)
    broken_files: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    rows: int = 0
    """Records of all files, as far as they can be counted."""
    superseded: int = 0


class Poisoner:
    """Breaks one source, whose good records stay what they are."""

    def __init__(
        self,
        contract: SourceContract,
        rows: list[Row],
        *,
        renew: Callable[[Row, int], Row],
        seed: int,
    ) -> None:
        self._contract = contract
        self._header, *self._good = rows
        self._renew = renew
        self._random = random.Random(seed)  # noqa: S311 - it breaks files, not codes
        self._made = 0
        self._twice: list[bytes] = []
        self._poisoned = Poisoned()

    def poison(self, share: float) -> Poisoned:
        """Break a share of the records in every way, and as many files as may be broken."""
        ways = list(poisons(self._contract, self._header))
        self._random.shuffle(ways)
        count = max(len(ways), round(share * len(self._good)))
        spoilt = [(way, way.spoil(self._new_row())) for way in islice(cycle(ways), count)]
        good = self._good[:]
        self._random.shuffle(good)
        large, small = good[: len(good) // 3], good[len(good) // 3 :]
        parts = [large, *_parts(small, ROWS_OF_A_FILE)]
        for number, part in enumerate(parts):
            mine = spoilt[number :: len(parts)]
            self._write_good(f"{number:04d}", part, mine, plain=number % 3 == 0)
        self._write_again(good)
        self._write_broken_files(int(SHARE_OF_FILES * len(parts)))
        return self._poisoned

    def _new_row(self) -> Row:
        self._made += 1
        return self._renew(list(self._random.choice(self._good)), self._made)

    def _write_good(
        self, name: str, rows: list[Row], spoilt: list[tuple[Poison, bytes]], *, plain: bool
    ) -> None:
        """Mix good lines, broken ones, a record twice and blank lines."""
        key = f"{name}.csv" if plain else f"{name}.csv.gz"
        lines: list[tuple[bytes, Poison | None]] = [(_line(row), None) for row in rows]
        lines += [(line, poison) for poison, line in spoilt]
        self._random.shuffle(lines)
        if self._random.random() < 0.3:
            twice = self._random.choice([line for line, poison in lines if poison is None])
            self._twice.append(twice)
            lines.append((twice, Poison("duplicate", "+".join(self._contract.key), _line)))
        lines.insert(self._random.randrange(len(lines)), (b"", None))
        for number, (_, poison) in enumerate(lines, start=2):
            if poison:
                self._poisoned.records.add((key, number, poison.rule, poison.column))
        self._poisoned.rows += len(lines) - 1
        end = self._random.choice([b"\n", b"\r\n"])
        self._keep(key, end.join([_line(self._header), *(line for line, _ in lines), b""]))

    def _write_again(self, good: list[Row]) -> None:
        again = [row for row in self._random.sample(good, 60) if _line(row) not in self._twice]
        self._keep(f"{LATER}.csv", b"\n".join(map(_line, [self._header, *again])))
        self._poisoned.rows += len(again)
        self._poisoned.superseded += len(again)

    def _write_broken_files(self, count: int) -> None:
        """Break whole files; their records are good and new, so that a used one would show."""
        ways = list(self._broken_files())
        for rule, content, records in self._random.sample(ways, min(count, len(ways))):
            key = f"broken-{rule}.csv"
            self._poisoned.files[key] = content
            self._poisoned.broken_files[key] = (rule, records)
            self._poisoned.rows += records or 0

    def _broken_files(self) -> Iterator[tuple[str, bytes, int | None]]:
        rows = [self._new_row() for _ in range(2000)]
        whole = b"\n".join(map(_line, [self._header, *rows]))
        packed = gzip.compress(whole)
        gone = self._header.index(self._random.choice(self._contract.columns).name)
        without = [row[:gone] + row[gone + 1 :] for row in [self._header, *rows]]
        middle = len(packed) // 2
        yield "missing_column", gzip.compress(b"\n".join(map(_line, without))), len(rows)
        twice = [[*self._header, self._header[gone]], *rows]
        yield "duplicate_column", b"\n".join(map(_line, twice)), len(rows)
        yield "encoding", b"\xff\xfe" + whole, len(rows)
        yield "truncated_gzip", packed[: self._random.randrange(200, len(packed) - 1)], None
        yield "corrupt_gzip", packed[:middle] + b"poison" * 9 + packed[middle + 54 :], None
        yield "empty_file", b"", 0
        yield "header_only", _line(self._header) + b"\n", 0

    def _keep(self, key: str, content: bytes) -> None:
        packed = gzip.compress(content) if key.endswith(".gz") else content
        self._poisoned.files[key] = packed


def poisons(contract: SourceContract, header: Row) -> Iterator[Poison]:
    """List every way in which the contract lets a record be broken."""
    yield Poison("malformed", "", lambda row: _line(row[:-1]))
    yield Poison("malformed", "", lambda row: _line([*row, "more"]))
    yield Poison("malformed", "", lambda row: b'"' + _line(row))
    for column in contract.columns:
        place = header.index(column.name)
        for rule, value in _broken_values(column, contract.null_value):
            yield Poison(rule, column.name, _setting(place, value))
        if column.type == "string":
            yield Poison("encoding", "", _garbling(place))
    for reference in contract.references:
        yield Poison("orphan", reference.column, _setting(header.index(reference.column), "QQQ"))


def _broken_values(column: Field, null: str) -> Iterator[tuple[str, str]]:
    if not column.nullable:
        yield from (("missing", null), ("missing", ""))
    if column.allowed:
        yield "allowed", "ZZZ"
    wrong = {"integer": ("soon", "1.5"), "number": ("soon", "NaN"), "timestamp": ("soon",)}
    for value in wrong.get(column.type, ()):
        yield "type", value
    if column.minimum is not None and column.maximum is not None:
        yield from (
            ("range", str(int(column.minimum) - 1)),
            ("range", str(int(column.maximum) + 1)),
        )


def _setting(place: int, value: str) -> Callable[[Row], bytes]:
    return lambda row: _line([*row[:place], value, *row[place + 1 :]])


def _garbling(place: int) -> Callable[[Row], bytes]:
    def garble(row: Row) -> bytes:
        before = _line(row[:place])
        return before + b"," * (place > 0) + b"A\xe9\xff" + b"," + _line(row[place + 1 :])

    return garble


def _line(row: Row) -> bytes:
    return ",".join(row).encode()


def _parts(rows: list[Row], size: int) -> list[list[Row]]:
    return [rows[first : first + size] for first in range(0, len(rows), size)]
