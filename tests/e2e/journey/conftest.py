"""A slice of the use case's real data."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARE = 0.2
"""Of the flight numbers; all of a number's flights, so that histories stay whole."""


def thin(sources: Path) -> None:
    """Keep a share of the flights of every month; the other sources stay whole."""
    for path in sorted((sources / "flights").glob("*.csv.gz")):
        header, *rows = gzip.decompress(path.read_bytes()).decode().splitlines()
        names = header.split(",")
        carrier, flight = names.index("carrier"), names.index("flight")
        kept = [row for row in rows if _kept(row.split(","), carrier, flight)]
        text = "".join(f"{line}\n" for line in [header, *kept])
        path.write_bytes(gzip.compress(text.encode(), mtime=0))


def _kept(values: list[str], carrier: int, flight: int) -> bool:
    return zlib.crc32(f"{values[carrier]}{values[flight]}".encode()) < SHARE * 2**32


@pytest.fixture(scope="session")
def sources(bare_platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the slice's source files, fetched by the use case's own command."""
    folder = tmp_path_factory.mktemp("sources")
    bare_platform.module("use_cases.flight_delays.fetch", str(folder))
    thin(folder)
    return folder


TIMES: list[tuple[str, float, float]] = []


@pytest.fixture(scope="session")
def test_times() -> list[tuple[str, float, float]]:
    """Return when each test of the journey ran: its name, its start, its end."""
    return TIMES


@pytest.fixture(autouse=True)
def _timed(request: pytest.FixtureRequest) -> Iterator[None]:
    started = time.time()
    yield
    TIMES.append((request.node.name, started, time.time()))
