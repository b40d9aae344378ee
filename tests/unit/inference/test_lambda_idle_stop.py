"""An endpoint that nobody asks stops, once, and the ledger knows; one that is asked stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lambdas.inference.stop_idle_endpoint.logic import RunningEndpoint, stop_idle_endpoint
from tests.unit.common.fakes import FakeLedger

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
IDLE = timedelta(hours=8)
SCHEDULED = {"when": "idle", "requested_by": "schedule", "reason": "nobody asked it"}
BY_HAND = {"when": "now", "requested_by": "me", "reason": "over for today"}


class FakeHosting:
    """One endpoint, and when it was asked."""

    def __init__(self, hours=24, status="InService", asked=()):
        self.running = RunningEndpoint(status, "config-1", NOW - timedelta(hours=hours), ("v",))
        self.asked = [NOW - timedelta(hours=hours) for hours in asked]
        self.deleted = []

    def endpoint(self, name):
        return None if self.deleted else self.running

    def requests(self, name, variants, since):
        assert variants == ("v",)
        return float(sum(moment >= since for moment in self.asked))

    def delete(self, name):
        self.deleted.append(name)


def run(hosting, request=SCHEDULED, ledger=None):
    return stop_idle_endpoint(request, "endpoint", IDLE, NOW, hosting, ledger or FakeLedger())


def test_an_endpoint_without_a_request_for_so_long_stops_and_the_ledger_knows_why():
    hosting, ledger = FakeHosting(asked=(9, 20)), FakeLedger()

    assert run(hosting, ledger=ledger)["stopped"]

    assert hosting.deleted == ["endpoint"]
    (entry,) = ledger.records
    assert entry["event_type"] == "endpoint_stopped"
    assert entry["evidence"] == {"endpoint_config": "config-1"}


@pytest.mark.parametrize(
    ("hosting", "why"),
    [
        (FakeHosting(asked=(7.5, 20)), "asked 1 times"),
        (FakeHosting(hours=7), "it changed at"),
        (FakeHosting(status="Updating"), "it is Updating"),
    ],
)
def test_an_endpoint_that_is_asked_or_new_or_changing_stays(hosting, why):
    ledger = FakeLedger()

    answer = run(hosting, ledger=ledger)

    assert not answer["stopped"]
    assert why in answer["why"]
    assert hosting.deleted == ledger.records == []


def test_an_operator_stops_it_however_often_it_is_asked():
    hosting = FakeHosting(hours=1, asked=(0.1,))

    assert run(hosting, BY_HAND) == {"stopped": True, "why": "over for today"}


def test_a_second_call_finds_nothing_to_stop():
    hosting = FakeHosting()
    run(hosting)

    assert run(hosting) == {"stopped": False, "why": "there is no endpoint"}
    assert hosting.deleted == ["endpoint"]


def test_a_call_that_died_before_the_endpoint_went_is_finished_by_the_next_with_one_record():
    class Dying(FakeHosting):
        def delete(self, name):
            if not self.asked_before:
                self.asked_before = True
                raise ConnectionError
            super().delete(name)

    hosting, ledger = Dying(), FakeLedger()
    hosting.asked_before = False
    with pytest.raises(ConnectionError):
        run(hosting, ledger=ledger)

    assert run(hosting, ledger=ledger)["stopped"]
    assert len({entry["token"] for entry in ledger.records}) == 1
