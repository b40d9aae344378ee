"""The declaration of analytics tables: what is wrong with it is said with its place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import use_cases
from pipeline_code.analytics_table import load_analytics
from pipeline_code.use_case import UseCaseError, load_queries

GOOD = """
tables:
  by_kind:
    description: Figures by kind.
    key: [kind]
    columns:
      - {name: kind, type: string, description: Kind.}
      - {name: seen, type: integer, unit: times, description: How often.}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch):
    package = tmp_path / "use_cases" / "counters"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "analytics.yaml").write_text(GOOD)
    monkeypatch.setattr(use_cases, "__path__", [str(tmp_path / "use_cases")])
    yield package
    sys.modules.pop("use_cases.counters", None)


def test_reads_tables_with_their_columns(folder):
    table = load_analytics("counters")["by_kind"]
    assert table.key == ("kind",)
    assert [(c.name, c.glue_type, c.comment) for c in table.columns] == [
        ("kind", "string", "Kind."),
        ("seen", "bigint", "How often. (times)"),
    ]


def test_a_use_case_may_have_no_tables_and_no_queries(folder):
    (folder / "analytics.yaml").unlink()
    assert load_analytics("counters") == {}
    assert load_queries("counters") == {}


def test_queries_are_read_by_name(folder):
    (folder / "queries").mkdir()
    (folder / "queries" / "all.sql").write_text("-- All.\nSELECT 1\n")
    (folder / "queries" / "README.md").write_text("no query")
    assert load_queries("counters") == {"all": "-- All.\nSELECT 1\n"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[kind]", "[other]", "key names 'other', which is not in columns"),
        ("    key: [kind]\n", "", "key is missing"),
        ("type: integer", "type: money", "type is 'money', must be one of string"),
        ("name: seen", "name: kind", "holds a name twice"),
        ("name: seen", "name: sk", "'sk' is reserved"),
        ("name: seen", "name: Seen", "a name is lower case letters"),
        ("by_kind", "labels", "another table of the catalog has this name"),
        ("by_kind", "readings", "another table of the catalog has this name"),
        ("unit: times", "units: times", "units is unknown"),
    ],
)
def test_what_is_wrong_is_said(folder, old, new, words):
    assert old in GOOD
    (folder / "analytics.yaml").write_text(GOOD.replace(old, new))
    with pytest.raises(UseCaseError) as error:
        load_analytics("counters", taken=("readings",))
    assert words in str(error.value)
    assert "use_cases/counters/analytics.yaml" in str(error.value)
