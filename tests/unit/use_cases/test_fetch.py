"""Fetching the raw sources: pinned by digest, the same bytes every time, errors that say what."""

from __future__ import annotations

import gzip
import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from use_cases.flight_delays import fetch

FLIGHTS = "year,month,carrier\n2013,1,AA\n2013,2,UA\n2013,1,DL\n2013,3,B6\n"
WEATHER = "origin,year,month\nEWR,2013,1\nEWR,2013,2\n"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package's data folder of a few lines whose digests are the pinned ones."""
    folder = tmp_path / "package" / "data"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "flights.csv.zip", "w") as archive:
        archive.writestr("flights.csv", FLIGHTS)
    (folder / "weather.csv").write_text(WEATHER)
    (folder / "planes.csv").write_text("tailnum\nN1\n")
    (folder / "airports.csv").write_text("faa\nJFK\n")
    digests = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir()}
    monkeypatch.setattr(fetch, "DIGESTS", digests)
    return folder


def test_a_file_a_month_in_the_order_of_the_source(data: Path, tmp_path: Path):
    written = fetch.fetch(tmp_path / "out", ("2013-01", "2013-12"), data)

    assert [str(path.relative_to(tmp_path / "out")) for path in written] == [
        "flights/flights-2013-01.csv.gz",
        "flights/flights-2013-02.csv.gz",
        "flights/flights-2013-03.csv.gz",
        "weather/weather-2013-01.csv.gz",
        "weather/weather-2013-02.csv.gz",
        "aircraft/aircraft.csv.gz",
        "airports/airports.csv.gz",
    ]
    january = gzip.decompress(written[0].read_bytes()).decode()
    assert january == "year,month,carrier\n2013,1,AA\n2013,1,DL\n"


def test_months_choose_a_slice_both_ends_included(data: Path, tmp_path: Path):
    written = fetch.fetch(tmp_path / "out", ("2013-02", "2013-02"), data)

    assert [path.name for path in written[:2]] == [
        "flights-2013-02.csv.gz",
        "weather-2013-02.csv.gz",
    ]
    assert len(written) == 4


def test_the_same_package_gives_the_same_bytes(data: Path, tmp_path: Path):
    months = ("2013-01", "2013-03")
    first = [path.read_bytes() for path in fetch.fetch(tmp_path / "first", months, data)]
    second = [path.read_bytes() for path in fetch.fetch(tmp_path / "second", months, data)]

    assert first == second
    assert first[0][4:8] == bytes(4), "a gzip header without a time"


def test_a_changed_file_is_refused_before_anything_is_written(data: Path, tmp_path: Path):
    (data / "flights.csv.zip").write_bytes(b"something else")

    with pytest.raises(fetch.FetchError, match=r"flights\.csv\.zip has SHA-256 .*, must have"):
        fetch.fetch(tmp_path / "out", ("2013-01", "2013-12"), data)

    assert not (tmp_path / "out").exists()


def test_a_missing_file_says_how_to_get_it(data: Path, tmp_path: Path):
    (data / "weather.csv").unlink()

    with pytest.raises(fetch.FetchError, match=r"weather\.csv is missing: pip install"):
        fetch.fetch(tmp_path / "out", ("2013-01", "2013-12"), data)


def test_months_without_a_record_say_which_there_are(data: Path, tmp_path: Path):
    with pytest.raises(fetch.FetchError, match=r"2014-01..2014-02; there are 2013-01..2013-03"):
        fetch.fetch(tmp_path / "out", ("2014-01", "2014-02"), data)


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetch, "PACKAGE", "no_such_package")

    with pytest.raises(fetch.FetchError, match="no_such_package is not installed: pip install"):
        fetch.find_data()


@pytest.mark.parametrize("months", ["2013-13..2013-14", "2013-03..2013-01", "2013"])
def test_months_that_are_no_range_are_refused(
    months: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    monkeypatch.setattr(sys, "argv", ["fetch", str(tmp_path), "--months", months])

    with pytest.raises(SystemExit) as stop:
        fetch.main()

    assert stop.value.code == 2
    assert "is no range of months such as 2013-01..2013-03" in capsys.readouterr().err


def test_the_installed_package_is_the_pinned_one_and_is_not_imported():
    data = fetch.find_data()
    found = {name: hashlib.sha256((data / name).read_bytes()).hexdigest() for name in fetch.DIGESTS}

    assert found == fetch.DIGESTS
    assert fetch.PACKAGE not in sys.modules
