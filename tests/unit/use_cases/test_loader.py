"""The loader of use cases: what is wrong in a file is said with the file and the field."""

import sys
from pathlib import Path

import numpy as np
import pytest

import use_cases
from pipeline_code.use_case import UseCaseError, load_use_case

SOURCES = """
readings:
  version: 1
  group: meter
  format: csv
  max_quarantined_share: 0.1
  description: Readings.
  key: [id]
  columns:
    - {name: id, type: string, description: Id.}
    - {name: value, type: number, range: [0, 9], description: Value.}
"""
INPUTS = """
version: 2
groups:
  meter:
    value: {type: number, range: [0, 9], description: Value.}
"""
MEMBERS = """
split:
  train: {first: 2013-01, last: 2013-02}
slices: [id]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    package = tmp_path / "use_cases" / "meters"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "sources.yaml").write_text(SOURCES)
    (package / "inputs.yaml").write_text(INPUTS)
    (package / "members.yaml").write_text(MEMBERS)
    monkeypatch.setattr(use_cases, "__path__", [str(tmp_path / "use_cases")])
    yield package
    sys.modules.pop("use_cases.meters", None)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_reads_the_contracts(folder):
    use_case = load_use_case("meters")

    assert use_case.required_sources == ("readings",)
    assert use_case.required_group == "meter"
    assert use_case.inputs["meter"]["value"].maximum == 9
    assert use_case.sources["readings"].glue_columns == (
        ("id", "string", "Id. (string)"),
        ("value", "string", "Value. (number)"),
    )
    assert use_case.split["train"].last == "2013-02"


def test_missing_group_becomes_nulls(folder):
    columns = load_use_case("meters").columns([{"meter": {"value": 3}}, {"meter": None}, {}])

    assert columns["value"][0] == 3
    assert np.isnan(columns["value"]).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("sources.yaml", "type: number", "type: float", "type is 'float', must be one of string"),
        ("sources.yaml", "key: [id]", "key: [ident]", "names column 'ident'"),
        ("sources.yaml", "key: [id]", "", "key is missing"),
        ("sources.yaml", "version: 1", "version: one", "version is 'one', must be a whole number"),
        ("sources.yaml", "range: [0, 9]", "range: [9, 0]", r"range is \[9, 0\], must be"),
        ("sources.yaml", "range:", "rnage:", "rnage is unknown, allowed are"),
        ("sources.yaml", "version: 1", "version: 1\n  pulls: x", "pulls is unknown, allowed are"),
        (
            "sources.yaml",
            "version: 1",
            "version: 1\n  arrival: {every: week}",
            "every is 'week', must be one of month",
        ),
        (
            "sources.yaml",
            "version: 1",
            "version: 1\n  pull: {uri: 'ftp://a/b', schedule: rate(1 day)}",
            "uri is 'ftp://a/b', must be https",
        ),
        (
            "sources.yaml",
            "version: 1",
            "version: 1\n  pull: {uri: 's3://a/b', schedule: daily}",
            r"schedule is 'daily', must be rate\(…\) or cron",
        ),
        (
            "sources.yaml",
            "version: 1",
            "version: 1\n  freshness: {column: id, max_lag_hours: 4}",
            "column is 'id', must be a column of type timestamp",
        ),
        (
            "sources.yaml",
            "version: 1",
            "version: 1\n  freshness: {column: id, max_lag_hours: 0}",
            "max_lag_hours is 0, must be a number of hours above 0",
        ),
        (
            "sources.yaml",
            "key: [id]",
            "key: [id]\n  references: [{column: id, source: readings, key: id}]",
            "references go in a circle: readings -> readings",
        ),
        (
            "sources.yaml",
            "key: [id]",
            "key: [id]\n  references: [{column: id, source: readings, key: value}]",
            "key is 'value', must be a column of readings of type string",
        ),
        (
            "sources.yaml",
            "description: Id.",
            "optional: true, description: Id.",
            "optional is True, must be False unless nullable",
        ),
        (
            "sources.yaml",
            "description: Id.",
            "personal: 1, description: Id.",
            "personal is 1, must",
        ),
        ("sources.yaml", "name: value", "name: id", "columns holds a name twice"),
        ("inputs.yaml", "groups:", "group:", "groups is missing"),
        ("members.yaml", "2013-02", "2013-13", "is '2013-13', must be a month YYYY-MM"),
        ("members.yaml", "slices: [id]", "slices: id", "slices is 'id', must be a list"),
        ("members.yaml", "split:", "split: [", "is no YAML"),
    ],
)
def test_error_names_file_and_field(folder, file, old, new, said):
    change(folder / file, old, new)

    with pytest.raises(UseCaseError, match=said) as error:
        load_use_case("meters")

    assert f"use_cases/meters/{file}" in str(error.value)


def test_input_name_in_two_groups_is_refused(folder):
    path = folder / "inputs.yaml"
    path.write_text(path.read_text() + "  gauge:\n    value: {type: number, description: Twice.}\n")

    with pytest.raises(UseCaseError, match="'value' stands in two groups"):
        load_use_case("meters")


def test_missing_file_and_missing_folder_are_told_apart(folder):
    (folder / "inputs.yaml").unlink()
    with pytest.raises(UseCaseError, match=r"inputs\.yaml: the file is missing"):
        load_use_case("meters")
    with pytest.raises(UseCaseError, match="there is no folder use_cases/nowhere"):
        load_use_case("nowhere")
    with pytest.raises(UseCaseError, match="a name is lower case"):
        load_use_case("../meters")
