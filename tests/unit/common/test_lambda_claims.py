"""Claims: one live holder, and the dead give way."""

from __future__ import annotations

import json

import pytest

from lambdas.common.claims import CLAIMED, Claim, take
from lambdas.common.items import from_item, to_item
from lambdas.common.step_errors import plain_reason
from tests.unit.common.fakes import FakeClaims, FakeExecutions, RacingClaims

MINE = Claim("subject", CLAIMED, "me")
RIVAL = Claim("subject", CLAIMED, "rival")


def test_a_free_subject_is_taken():
    claims = FakeClaims()
    assert take(claims, FakeExecutions(), MINE, None) is None
    assert claims.get("subject") == MINE


def test_a_live_holder_keeps_its_claim():
    claims = FakeClaims(RIVAL)
    assert take(claims, FakeExecutions("rival"), MINE, RIVAL) == RIVAL
    assert claims.get("subject") == RIVAL


def test_a_dead_holder_gives_way():
    claims = FakeClaims(RIVAL)
    assert take(claims, FakeExecutions(), MINE, RIVAL) is None
    assert claims.get("subject") == MINE


def test_an_own_claim_is_taken_again():
    assert take(FakeClaims(MINE), FakeExecutions("me"), MINE, MINE) is None


def test_who_comes_second_learns_who_was_first():
    claims = RacingClaims(RIVAL)
    assert take(claims, FakeExecutions("rival"), MINE, None) == RIVAL
    assert claims.get("subject") == RIVAL


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (json.dumps({"errorMessage": "no column x", "errorType": "E"}), "no column x"),
        (json.dumps({"FailureReason": "AlgorithmError"}), "AlgorithmError"),
        (json.dumps({"JobName": "j"}), '{"JobName": "j"}'),
        ("[1]", "[1]"),
        ("not JSON", "not JSON"),
        ("", "States.Timeout"),
    ],
)
def test_a_failure_is_told_in_plain_words(cause, reason):
    assert plain_reason("States.Timeout", cause) == reason


def test_items_come_back_as_they_went():
    item = {"a": 0.1 + 0.2, "b": 3, "c": None, "d": [1.5, {"e": "f"}], "g": True, "h": 1e-12}
    assert from_item(to_item(item)) == item
