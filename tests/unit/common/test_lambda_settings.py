"""Settings: read and checked at once, and an error names its variable."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest

from lambdas.common.errors import SettingError
from lambdas.common.settings import read_settings

LAMBDAS = Path(__file__).parents[3] / "lambdas"
FUNCTIONS = sorted(path.parent for path in LAMBDAS.glob("*/*/handler.py"))


@dataclass(frozen=True)
class Example:
    name: str
    days: int
    sources: list[str] = field(default_factory=list)
    note: str = ""


def test_settings_have_their_types():
    variables = {"NAME": "n", "DAYS": "30", "SOURCES": '["a"]', "OTHER": "x"}
    assert read_settings(Example, variables) == Example("n", 30, ["a"])


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"DAYS": "1"}, "NAME"),
        ({"NAME": "", "DAYS": "1"}, "NAME"),
        ({"NAME": "n", "DAYS": "a month"}, "DAYS.*'a month'.*whole number"),
        ({"NAME": "n", "DAYS": "-1"}, "DAYS"),
        ({"NAME": "n", "DAYS": "1", "SOURCES": "a,b"}, "SOURCES.*JSON list"),
        ({"NAME": "n", "DAYS": "1", "SOURCES": "[1]"}, "SOURCES.*JSON list"),
    ],
)
def test_what_is_missing_or_wrong_is_named(variables, named):
    with pytest.raises(SettingError, match=named):
        read_settings(Example, variables)


@pytest.mark.parametrize("folder", FUNCTIONS, ids=lambda folder: folder.name)
def test_every_function_reads_only_settings_of_its_contract(folder):
    block = folder.parent.name
    handler = importlib.import_module(f"lambdas.{block}.{folder.name}.handler")
    setting = importlib.import_module(f"lambdas.{block}.contract").Setting
    allowed = {value for name, value in vars(setting).items() if name.isupper()}

    assert {entry.name.upper() for entry in fields(handler.Settings)} <= allowed
