"""Decisions are asked for with what an operator has, and shown with their reasons and prices."""

from __future__ import annotations

import json

import pytest

from cli.decisions import decision_table, limit_table, request_from
from cli.errors import NotThereError, RefusedError

REQUEST = {"predictions": [{"prediction_id": "p-1"}]}


def decision(name, net, reason="is worth 5.00 less here"):
    return {
        "entity_id": name,
        "probability": 0.5,
        "action": "turn",
        "saving": net + 300,
        "cost": 300,
        "net": net,
        "next_best": reason and {"action": "swap", "net": 1.0, "reason": reason},
    }


def test_a_request_is_read_from_a_file(tmp_path, target):
    file = tmp_path / "request.json"
    file.write_text(json.dumps(REQUEST))

    assert request_from(target, file, None) == REQUEST


@pytest.mark.parametrize("text", ["", "{", "[]", '{"instances": []}'])
def test_what_is_no_request_is_refused(tmp_path, target, text):
    file = tmp_path / "request.json"
    file.write_text(text)

    with pytest.raises(RefusedError, match=r"request\.json"):
        request_from(target, file, None)


def test_a_file_that_does_not_exist_is_named(tmp_path, target):
    with pytest.raises(NotThereError, match=r"none\.json"):
        request_from(target, tmp_path / "none.json", None)


def test_the_most_valuable_decision_comes_first_with_why_it_is_not_another():
    table = decision_table([decision("small", 10), decision("large", 2000, reason="")])

    rows = [list(column.cells) for column in table.columns]
    assert rows[0] == ["large", "small"]
    assert rows[5] == ["2,000", "10"]
    assert rows[6] == ["", "swap: is worth 5.00 less here"]


def test_the_scarcest_limit_comes_first():
    limits = [
        {"limit": "a", "left": 3, "used": 1, "shadow_price": 0.0},
        {"limit": "b", "left": 1, "used": 1, "shadow_price": 812.4},
        {"limit": "c", "left": 1, "used": 0, "shadow_price": None},
    ]

    columns = [list(column.cells) for column in limit_table(limits).columns]

    assert columns[0] == ["b", "a", "c"]
    assert columns[3] == ["812", "0", "-"]
