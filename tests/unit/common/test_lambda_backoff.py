"""Pauses between attempts, and that writers who lose make them."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.backoff import FIRST_SECONDS, LONGEST_SECONDS, pause_seconds
from lambdas.common.dynamo_ledger import ATTEMPTS, DynamoLedger, LedgerBusyError
from lambdas.inference.log_predictions.adapters import DynamoPredictionTable
from lambdas.inference.log_predictions.logic import StoreBusyError

ENTRY = {
    "event_type": "e",
    "actor": "a",
    "reason": "r",
    "subject": "s",
    "evidence": {},
    "token": "t",
}
PREDICTION = {"prediction_id": "p-1", "expires_at": 1}
FUNCTION_SECONDS = 60
"""A function's own limit (`stacks/common/function.py`): it must give up before that."""


class ContendedTable:
    """Refuses the first writes: another writer was quicker, or the table is overloaded."""

    def __init__(self, refusals):
        self.refusals = refusals

    def get_item(self, **_request):
        return {}

    def query(self, **_request):
        return {"Items": []}

    def transact_write_items(self, **_request):
        if self._refuses():
            code = "TransactionCanceledException"
            reasons = [{"Code": "ConditionalCheckFailed"}, {"Code": "None"}]
            response = {"Error": {"Code": code}, "CancellationReasons": reasons}
            raise ClientError(response, "TransactWriteItems")

    def batch_write_item(self, RequestItems):  # noqa: N803 - DynamoDB's name
        return {"UnprocessedItems": RequestItems if self._refuses() else {}}

    def _refuses(self):
        self.refusals -= 1
        return self.refusals >= 0


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_pause_has_bounds(failed, draw):
    assert 0 <= pause_seconds(failed, draw) <= LONGEST_SECONDS


def test_pauses_double_until_the_longest():
    assert [pause_seconds(failed, 1) for failed in (1, 2, 3)] == [
        FIRST_SECONDS,
        2 * FIRST_SECONDS,
        4 * FIRST_SECONDS,
    ]
    assert pause_seconds(9, 1) == LONGEST_SECONDS
    assert pause_seconds(9, 0) == 0


def test_a_ledger_writer_that_loses_waits_before_it_tries_again():
    pauses = []
    ledger = DynamoLedger(ContendedTable(3), "ledger", "demo", lambda: "now", pauses.append)

    assert ledger.append(ENTRY)["sequence"] == 1
    assert pauses == [1, 2, 3]


def test_a_ledger_writer_that_always_loses_gives_up():
    pauses = []
    ledger = DynamoLedger(ContendedTable(10_000), "ledger", "demo", lambda: "now", pauses.append)

    with pytest.raises(LedgerBusyError):
        ledger.append(ENTRY)
    assert len(pauses) == ATTEMPTS - 1
    longest = sum(pause_seconds(failed, 1) for failed in pauses)
    assert longest < FUNCTION_SECONDS - 10


def test_an_overloaded_prediction_log_is_given_time():
    pauses = []
    DynamoPredictionTable(ContendedTable(2), "predictions", pauses.append).add([PREDICTION])
    assert pauses == [1, 2]


def test_a_prediction_log_that_stays_overloaded_is_left_alone_for_a_while():
    pauses = []
    log = DynamoPredictionTable(ContendedTable(10_000), "predictions", pauses.append)

    with pytest.raises(StoreBusyError):
        log.add([PREDICTION])
    assert sum(pause_seconds(failed, 1) for failed in pauses) < 5
