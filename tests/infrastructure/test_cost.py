"""The estimate of the bill, on the templates as they are, beside the hand-computed one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.assembly import read_assembly
from cli.cost.estimate import estimate
from cli.cost.prices import read_prices
from stacks.config.__main__ import document
from stacks.config.environments import ENVIRONMENTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cost.md"
ROW = re.compile(r"^\| (?P<what>[^|]+) \| [^|]*\| (?P<usd>[\d.]+) \|$", re.MULTILINE)


@pytest.fixture
def estimated(synthesise):
    def run(environment):
        config = document(ENVIRONMENTS[environment])
        return estimate(read_assembly(synthesise(environment).folder, config), read_prices())

    return run


def by_hand():
    return {row["what"]: float(row["usd"]) for row in ROW.finditer(PAGE.read_text())}


def test_the_rows_of_the_hand_computed_bill_add_up():
    rows = by_hand()
    total = rows.pop("all")

    assert len(rows) > 10
    assert sum(rows.values()) == pytest.approx(total)


def test_the_estimate_agrees_with_the_hand_computed_bill_within_a_tenth(estimated):
    assert estimated("prod").usd == pytest.approx(by_hand()["all"], rel=0.1)


@pytest.mark.parametrize(
    ("what", "kinds"),
    [
        ("endpoint", {"endpoint"}),
        ("stored predictions", {"DynamoDB storage", "DynamoDB backups"}),
        ("requests to the API", {"API Gateway requests"}),
        ("Spark job", {"Glue Spark job"}),
        ("writes of predictions", {"DynamoDB writes"}),
    ],
)
def test_the_big_rows_agree_too(what, kinds, estimated):
    lines = estimated("prod").lines

    assert sum(line.usd for line in lines if line.kind in kinds) == pytest.approx(
        by_hand()[what], rel=0.1
    )


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_every_resource_has_a_price_or_is_known_to_be_free(environment, estimated):
    assert estimated(environment).unpriced == {}
