"""Contracts: a change that breaks needs a higher version and an acceptance; pages are current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import use_cases
from pipeline_code import contracts
from pipeline_code.use_case import UseCaseError, load_use_case

ROOT = Path(__file__).parents[3]
SOURCES = """
meters:
  version: 1
  group: meter
  format: csv
  arrival: {every: month}
  freshness: {column: read_at, max_lag_hours: 48}
  max_quarantined_share: 0.1
  description: Readings.
  key: [id]
  references: [{column: place, source: places, key: name, known_absent: [moon, sun]}]
  columns:
    - {name: id, type: string, description: Id.}
    - {name: value, type: number, range: [0, 9], unit: m, description: Value.}
    - {name: state, type: string, nullable: true, allowed: [on, off], description: State.}
    - {name: place, type: string, personal: true, description: Place.}
    - {name: read_at, type: timestamp, description: When.}
    - {name: since, type: integer, nullable: true, optional: true, description: Since.}
places:
  version: 3
  group: place
  format: csv
  max_quarantined_share: 0.1
  description: Places.
  key: [name]
  columns: [{name: name, type: string, description: Name.}]
""".replace("allowed: [on, off]", 'allowed: ["on", "off"]')
INPUTS = """
version: 2
groups:
  meter:
    value: {type: number, range: [0, 9], description: Value.}
    state: {type: string, nullable: true, description: State.}
"""
MEMBERS = """
split:
  train: {first: 2013-01, last: 2013-02}
slices: [id]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A use case whose contracts were accepted."""
    package = tmp_path / "use_cases" / "metering"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "sources.yaml").write_text(SOURCES)
    (package / "inputs.yaml").write_text(INPUTS)
    (package / "members.yaml").write_text(MEMBERS)
    monkeypatch.setattr(use_cases, "__path__", [str(tmp_path / "use_cases")])
    contracts.accept("metering")
    yield package
    sys.modules.pop("use_cases.metering", None)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


BREAKING = [
    (
        "    - {name: value, type: number, range: [0, 9], unit: m, description: Value.}\n",
        "",
        "value is gone",
    ),
    ("type: number", "type: integer", "value type is 'integer', was 'number'"),
    ("unit: m,", "unit: km,", "value unit is 'km', was 'm'"),
    ("range: [0, 9]", "range: [1, 9]", "value range is [1, 9], was [0, 9]"),
    ("range: [0, 9]", "range: [0, 8.5]", "value range is [0, 8.5], was [0, 9]"),
    (
        "type: string, description: Id.",
        "type: string, allowed: [a], description: Id.",
        "id allowed lacks what is not",
    ),
    (
        'nullable: true, allowed: ["on", "off"]',
        'nullable: true, allowed: ["on"]',
        "state allowed lacks off",
    ),
    ("nullable: true, allowed", "allowed", "state nullable is false, was true"),
    ("nullable: true, optional: true", "nullable: true", "since optional is false, was true"),
    ("personal: true, ", "", "place personal is false, was true"),
    ("key: [id]", "key: [id, read_at]", "key is ['id', 'read_at'], was ['id']"),
    (
        "known_absent: [moon, sun]",
        "known_absent: [sun]",
        "place -> places.name known_absent lacks moon",
    ),
    (
        "references: [{column: place,",
        "references: [{column: id,",
        "id -> places.name is a new reference",
    ),
    ("arrival: {every: month}\n", "\n", "arrival is None, was 'month'"),
    ("max_lag_hours: 48", "max_lag_hours: 24", "freshness max_lag_hours is 24.0, was 48.0"),
    (
        "format: csv\n  arrival",
        "format: csv\n  null_value: NA\n  arrival",
        "null_value is 'NA', was ''",
    ),
    (
        "  columns:\n",
        "  columns:\n    - {name: extra, type: string, nullable: true, description: New.}\n",
        "extra is new and not optional",
    ),
]
HARMLESS = [
    ("range: [0, 9]", "range: [-1, 9.5]"),
    ("range: [0, 9], ", ""),
    ('allowed: ["on", "off"]', 'allowed: ["on", "off", broken]'),
    (', allowed: ["on", "off"]', ""),
    ("type: string, description: Id.", "type: string, nullable: true, description: Id."),
    ("type: string, description: Id.", "type: string, personal: true, description: Other words."),
    ("known_absent: [moon, sun]", "known_absent: [moon, sun, mars]"),
    ("max_lag_hours: 48", "max_lag_hours: 96"),
    (
        "max_quarantined_share: 0.1\n  description: Readings",
        "max_quarantined_share: 0\n  description: Readings",
    ),
    (
        "  columns:\n",
        "  columns:\n"
        "    - {name: extra, type: string, nullable: true, optional: true, description: New.}\n",
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), BREAKING)
def test_a_breaking_change_is_refused_by_source_and_field(folder, old, new, said):
    change(folder / "sources.yaml", old, new)

    with pytest.raises(UseCaseError) as refused:
        load_use_case("metering")
    with pytest.raises(UseCaseError):
        contracts.accept("metering")

    assert str(refused.value).startswith(f"use_cases/metering/sources.yaml: meters: {said}")
    assert "raise version to 2" in str(refused.value)


@pytest.mark.parametrize(("old", "new", "said"), BREAKING)
def test_with_a_higher_version_it_is_accepted(folder, old, new, said):
    change(folder / "sources.yaml", old, new)
    change(folder / "sources.yaml", "meters:\n  version: 1", "meters:\n  version: 2")

    with pytest.raises(UseCaseError, match=r"version is 2, accepted is 1; accept it: python -m"):
        load_use_case("metering")

    assert contracts.accept("metering") == "metering: accepted meters version 2.\n"
    assert load_use_case("metering").sources["meters"].version == 2
    assert contracts.check("metering")


@pytest.mark.parametrize(("old", "new"), HARMLESS)
def test_a_change_that_breaks_nothing_needs_no_higher_version(folder, old, new):
    change(folder / "sources.yaml", old, new)

    assert load_use_case("metering").sources["meters"].version == 1
    contracts.accept("metering")
    assert contracts.check("metering")


def test_what_was_accepted_since_is_what_a_change_breaks(folder):
    change(folder / "sources.yaml", "range: [0, 9]", "range: [0, 99]")
    with pytest.raises(UseCaseError, match="is not that of the contracts; accept them"):
        contracts.check("metering")
    contracts.accept("metering")

    change(folder / "sources.yaml", "range: [0, 99]", "range: [0, 9]")

    with pytest.raises(UseCaseError, match="value range"):
        load_use_case("metering")


def test_a_lower_version_is_refused(folder):
    change(folder / "sources.yaml", "version: 3", "version: 2")

    with pytest.raises(UseCaseError, match="places: version is 2, must be 3 or higher"):
        load_use_case("metering")


def test_a_source_that_goes_is_refused_until_that_is_accepted(folder):
    path = folder / "sources.yaml"
    path.write_text(path.read_text().split("places:\n  version")[0])
    change(
        path,
        "references: [{column: place, source: places, key: name, known_absent: [moon, sun]}]",
        "",
    )

    with pytest.raises(UseCaseError, match="places: is gone, version 3 was accepted"):
        load_use_case("metering")

    assert "places is gone" in contracts.accept("metering")
    assert list(load_use_case("metering").sources) == ["meters"]


def test_a_request_has_a_contract_too(folder):
    change(folder / "inputs.yaml", "range: [0, 9]", "range: [0, 5]")

    with pytest.raises(UseCaseError, match=r"inputs\.yaml: inputs: meter\.value range is"):
        load_use_case("metering")


def test_every_use_case_is_accepted_as_it_is():
    for folder in sorted((ROOT / "use_cases").iterdir()):
        if (folder / "sources.yaml").is_file():
            assert contracts.check(folder.name)


def test_the_page_of_contracts_is_current():
    for folder in sorted((ROOT / "use_cases").iterdir()):
        if (folder / "sources.yaml").is_file():
            page = (folder / "CONTRACTS.md").read_text()
            assert page == contracts.describe(folder.name), f"document {folder.name} anew"


def test_the_page_says_what_a_column_may_hold(folder):
    page = contracts.describe("metering")

    assert "| value | number | no | 0 to 9 m | Value. |" in page
    assert "| place | string | no |  | Place. Personal data. |" in page
    assert "| since | integer | yes, or no such column |  | Since. |" in page
    assert "- place is a name of places, but for moon, sun." in page


def test_the_command_refuses_in_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "pipeline_code.contracts", "check", "nowhere"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == ("contracts: use case 'nowhere': there is no folder use_cases/nowhere\n")
