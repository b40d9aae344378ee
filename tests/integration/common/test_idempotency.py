"""Idempotency keys in DynamoDB, on moto."""

from __future__ import annotations

import pytest

from lambdas.common.api import ApiRequest, ApiResponse
from lambdas.common.dynamo_attempts import DynamoAttempts, once
from lambdas.common.idempotency import LOCK_SECONDS, Once
from lambdas.common.refusals import RefusedError

LONG = {"predictions": [{"prediction_id": f"{number:036}", "p": 0.5} for number in range(9000)]}


def ask(writes, answer, body="{}"):
    request = ApiRequest("POST", "/p", body, False, "c", caller="me", idempotency_key="k")
    return writes.answer(request, answer)


def test_an_answer_is_kept_whatever_its_length(world):
    writes = once(world.dynamodb, "attempts")
    first = ask(writes, lambda _request: ApiResponse(200, LONG, {"A": "b"}))
    second = ask(writes, lambda _request: pytest.fail("asked again"))
    assert first.document == second.document == LONG
    assert second.headers == {"A": "b", "Idempotency-Replayed": "true"}
    with pytest.raises(RefusedError):
        ask(writes, lambda _request: pytest.fail("asked again"), body="[]")


def test_what_failed_leaves_nothing(world):
    writes = once(world.dynamodb, "attempts")
    ask(writes, lambda _request: ApiResponse(503, {}, {}))
    assert world.dynamodb.scan(TableName="attempts")["Items"] == []


def test_who_lost_the_key_changes_nothing_any_more(world):
    attempts, now = DynamoAttempts(world.dynamodb, "attempts"), [0]
    slow = Once(attempts, lambda: now[0], lambda: "slow")
    fast = Once(attempts, lambda: now[0], lambda: "fast")

    def answer(_request):
        now[0] = LOCK_SECONDS
        assert ask(fast, lambda _request: ApiResponse(200, {"by": "fast"}, {})).status == 200
        return ApiResponse(200, {"by": "slow"}, {})

    assert ask(slow, answer).document == {"by": "slow"}
    assert ask(fast, answer).document == {"by": "fast"}
