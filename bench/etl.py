"""The ETL at several times the year: ours beside polars and DuckDB, in turns, as ratios.

``--years 1,10,30`` and ``--rounds``; each run is a process of its own on two threads, ours with
the heap of a laptop. On one year, all features of all rows are compared first: who leaves work
out is no peer.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset as ds
from numpy.typing import NDArray

from bench.figures import report
from bench.process_tree import Measured, measure
from stacks.config.environments import LOCAL

REPOSITORY = Path(__file__).parents[1]
OURS, PEERS = "spark", ("polars", "duckdb")
THREADS = "2"
MEBIBYTE = 1024**2
Column = NDArray[Any]
Runs = Mapping[tuple[str, int], list[Measured]]


def main() -> None:
    """Measure every engine at every size and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", default="1,10", help="times the year, separated by commas")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each, of which the median")
    parser.add_argument(
        "--alone", action="store_true", help="ours only: how it grows with the rows"
    )
    arguments = parser.parse_args()
    sizes = sorted(int(size) for size in arguments.years.split(","))
    peers = () if arguments.alone else PEERS
    runs: Runs = {(engine, size): [] for size in sizes for engine in (OURS, *peers)}
    rows: dict[int, int] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            rows[size] = int(_use_case("years", folder, str(size)).output)
            for _ in range(arguments.rounds):
                found = _round(Path(folder), size, rows[size], peers)
                for engine, measured in found.items():
                    runs[engine, size].append(measured)
    _report(runs, rows, peers)


def _round(sources: Path, size: int, rows: int, peers: Sequence[str]) -> dict[str, Measured]:
    """Run each engine once; compare what they wrote if it is the year itself."""
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for engine in (OURS, *peers):
            out = Path(folder) / engine
            out.mkdir()
            places = (str(sources), str(out))
            found[engine] = (
                _run("bench.etl_spark", LOCAL.use_case, *places)
                if engine == OURS
                else _use_case(f"{engine}_run", *places)
            )
            written = int(found[engine].output.split()[-1])
            seconds = found[engine].seconds
            sys.stderr.write(f"{engine}, {size} x the year: {seconds:.0f} s\n")
            if written != rows:
                raise SystemExit(f"{engine} wrote {written} of {rows} rows")
        if size == 1:
            for peer in peers:
                _compare(Path(folder) / OURS, Path(folder) / peer / "features.parquet", peer)
        return found


def _use_case(module: str, *words: str) -> Measured:
    return _run(f"use_cases.{LOCAL.use_case}.bench.{module}", *words)


def _run(module: str, *words: str) -> Measured:
    environment = {**os.environ, "ETL_THREADS": THREADS, "POLARS_MAX_THREADS": THREADS}
    return measure([sys.executable, "-m", module, *words], environment, str(REPOSITORY))


def _compare(ours: Path, theirs: Path, peer: str) -> None:
    """Refuse a peer whose features are not ours."""
    own = ds.dataset(sorted(str(file) for file in ours.rglob("data.parquet"))).to_table()
    other = ds.dataset(theirs).to_table()
    own, other = own.sort_by("entity_id"), other.sort_by("entity_id")
    for name in other.column_names:
        left, right = (table.column(name).to_numpy() for table in (own, other))
        same = left == right if left.dtype == object else _same(left, right)
        if not np.all(same):
            raise SystemExit(f"{peer}: {int((~same).sum())} values of {name} differ from ours")


def _same(left: Column, right: Column) -> Column:
    both: Column = (left == right) | (np.isnan(left) & np.isnan(right))
    return both


def _report(runs: Runs, rows: Mapping[int, int], peers: Sequence[str]) -> None:
    seconds = {key: statistics.median(m.seconds for m in found) for key, found in runs.items()}
    used = {
        key: statistics.median(m.processor_seconds for m in found) for key, found in runs.items()
    }
    peaks = {key: statistics.median(m.peak_bytes for m in found) for key, found in runs.items()}
    for size, count in rows.items():
        source = f"{size} x the year, {count} departures"
        for peer in peers:
            report(
                f"ETL rows per second, {size} x",
                count / seconds[OURS, size],
                "rows/s",
                against=peer,
                peer=count / seconds[peer, size],
                source=source,
            )
            report(
                f"ETL seconds, {size} x",
                seconds[OURS, size],
                "s",
                against=peer,
                peer=seconds[peer, size],
                source=source,
            )
            report(
                f"ETL peak memory, {size} x",
                peaks[OURS, size] / MEBIBYTE,
                "MiB",
                against=peer,
                peer=peaks[peer, size] / MEBIBYTE,
                source=source,
            )
    _report_growth(sorted(rows), seconds, used, peaks)


def _report_growth(
    sizes: Sequence[int],
    seconds: Mapping[tuple[str, int], float],
    used: Mapping[tuple[str, int], float],
    peaks: Mapping[tuple[str, int], float],
) -> None:
    for smaller, larger in pairwise(sizes):
        for name, unit, found, scale in (
            ("seconds", "s", seconds, 1),
            ("processor seconds", "s", used, 1),
            ("peak memory", "MiB", peaks, MEBIBYTE),
        ):
            report(
                f"ETL {name}, {larger} x over {smaller} x",
                found[OURS, larger] / scale,
                unit,
                against=f"ours at {smaller} x",
                peer=found[OURS, smaller] / scale,
                source=f"{larger} x the year",
            )


if __name__ == "__main__":
    main()
