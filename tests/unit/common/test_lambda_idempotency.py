"""Idempotency keys: one key, one body, one answer, and nothing kept of what failed."""

from __future__ import annotations

import pytest

from lambdas.common.api import ApiRequest, ApiResponse
from lambdas.common.idempotency import Once
from lambdas.common.refusals import RefusedError
from tests.unit.common.fakes import FakeAttempts


class Counting:
    """Answers with how often it was asked."""

    def __init__(self, status=200):
        self.status = status
        self.asked = 0

    def __call__(self, _request):
        self.asked += 1
        return ApiResponse(self.status, {"asked": self.asked}, {"X": "1"})


def request(body="{}", key="k-1", caller="me", method="POST"):
    return ApiRequest(method, "/p", body, False, "c", caller=caller, idempotency_key=key)


def once(attempts=None, now=0):
    holders = iter(map(str, range(100)))
    return Once(attempts or FakeAttempts(), lambda: now, lambda: next(holders))


def test_the_same_request_is_answered_once():
    service, writes = Counting(), once()
    first, second = (writes.answer(request(), service) for _ in range(2))
    assert service.asked == 1
    assert first.document == second.document == {"asked": 1}
    assert second.headers == {"X": "1", "Idempotency-Replayed": "true"}
    assert "Idempotency-Replayed" not in first.headers


@pytest.mark.parametrize(
    "other", [request(key="k-2"), request(caller="you"), request(key=None), request(method="GET")]
)
def test_another_key_or_caller_is_another_request(other):
    service, writes = Counting(), once()
    writes.answer(request(), service)
    assert writes.answer(other, service).document == {"asked": 2}


def test_another_body_under_the_same_key_is_refused():
    service, writes = Counting(), once()
    writes.answer(request(), service)
    with pytest.raises(RefusedError) as refused:
        writes.answer(request(body='{"a": 1}'), service)
    assert refused.value.problem["status"] == 422
    assert service.asked == 1


def test_a_request_that_is_being_answered_is_not_begun_again():
    writes, refusals = once(), []

    def answer(_request):
        with pytest.raises(RefusedError) as refused:
            writes.answer(request(), Counting())
        refusals.append(refused.value)
        return ApiResponse(200, {}, {})

    writes.answer(request(), answer)
    assert refusals[0].problem["status"] == 409
    assert refusals[0].headers == {"Retry-After": "1"}


def test_who_died_while_answering_holds_the_key_for_a_minute():
    attempts, service = FakeAttempts(), Counting()
    with pytest.raises(KeyboardInterrupt):
        once(attempts).answer(request(), _killed(attempts))
    with pytest.raises(RefusedError):
        once(attempts, now=59).answer(request(), service)
    assert once(attempts, now=61).answer(request(), service).status == 200


def _killed(attempts):
    def answer(_request):
        attempts.abandon = lambda _attempt: None  # nobody is left to give the key back
        raise KeyboardInterrupt

    return answer


@pytest.mark.parametrize("status", [400, 409, 500, 503])
def test_a_refused_or_failed_request_may_be_made_again(status):
    writes = once()
    writes.answer(request(), Counting(status))
    assert writes.answer(request(body="[]"), Counting()).status == 200


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 129, "a\n"])
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(RefusedError) as refused:
        once().answer(request(key=key), Counting())
    assert refused.value.problem["status"] == 400


def test_a_body_of_half_a_character_has_a_digest():
    assert once().answer(request(body="\ud800"), Counting()).status == 200
