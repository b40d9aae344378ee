"""A configuration that arrives is accepted whole or refused by its field's name; one trains."""

from __future__ import annotations

import json

import pytest
import yaml

from lambdas.common.claims import CLAIMED, Claim
from lambdas.training_pipeline.check_config.adapters import parse_yaml
from lambdas.training_pipeline.check_config.logic import ConfigDesk, check_config
from lambdas.training_pipeline.leases import LEASE, end_lease, take_lease
from tests.integration.training_pipeline.test_lambda_functions import CONFIG
from tests.unit.common.fakes import FakeClaims, FakeEvents, FakeExecutions, FakeLedger

KEY = "training/demo/mine.yaml"
REQUEST = {"key": KEY, "version": "v1", "requested_by": "anna"}


class FakeConfigs:
    def __init__(self, text):
        self._text = text
        self.kept, self.accepted, self.outcomes = {}, [], []

    def text(self, key):
        assert key == KEY
        return self._text

    def published(self):
        return CONFIG

    def keep(self, digest, config):
        self.kept[digest] = config

    def accept(self, accepted):
        self.accepted.append(accepted)

    def note(self, outcome):
        self.outcomes.append(outcome)


def check(text):
    configs, ledger, events = FakeConfigs(text), FakeLedger(), FakeEvents()
    desk = ConfigDesk(configs, parse_yaml, configs, ledger, events, lambda: "now")
    return check_config(REQUEST, "demo", desk), configs, ledger, events


def test_a_good_configuration_counts_from_now_on_and_asks_for_its_training():
    outcome, configs, ledger, events = check(yaml.safe_dump({**CONFIG, "seed": 9}))
    assert outcome["state"] == "accepted"
    assert configs.kept[outcome["digest"]]["seed"] == 9
    assert configs.accepted[0]["digest"] == outcome["digest"]
    assert [record["event_type"] for record in ledger.records] == ["config_accepted"]
    ((kind, due),) = events.announced
    assert (kind, due["requested_by"], due["use_case"]) == ("TrainingDue", "anna", "demo")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (yaml.safe_dump({**CONFIG, "seed": "often"}), "seed"),
        (yaml.safe_dump({**CONFIG, "gate": {}}), "gate"),
        (
            yaml.safe_dump({**CONFIG, "members": [{**CONFIG["members"][0], "algorithm": "magic"}]}),
            "members[0].algorithm",
        ),
        (json.dumps({k: v for k, v in CONFIG.items() if k != "split"}), "split"),
        ("members: [", "the document"),
        ("just a text", "the document"),
    ],
)
def test_a_bad_one_is_refused_by_its_fields_name_and_changes_nothing(text, field):
    outcome, configs, ledger, events = check(text)
    assert (outcome["state"], outcome["field"]) == ("refused", field)
    assert KEY in outcome["reason"]
    assert configs.outcomes == [outcome]
    assert (configs.kept, configs.accepted, events.announced) == ({}, [], [])
    (record,) = ledger.records
    assert (record["event_type"], record["evidence"]["field"]) == ("config_refused", field)


class FakeWishes:
    def __init__(self):
        self.wish = None

    def remember(self, wish):
        self.wish = wish

    def remembered(self):
        return self.wish

    def forget(self, wish):
        if self.wish == wish:
            self.wish = None


class LettingGo(FakeClaims):
    """The holder ends between our first and our second look."""

    def __init__(self, *claims):
        super().__init__(*claims)
        self.looks = 0

    def get(self, subject):
        self.looks += 1
        if self.looks > 1:
            self.stored[subject] = Claim(subject, "released", "run-1")
        return super().get(subject)


def wish(reason):
    return {"dataset_id": "", "requested_by": "anna", "reason": reason}


def test_one_trains_and_the_last_wish_comes_after_it():
    claims, running, wishes = FakeClaims(), FakeExecutions("run-1"), FakeWishes()
    assert take_lease(claims, running, wishes, "run-1", wish("first")) is None
    for number in (2, 3):
        holder = take_lease(claims, running, wishes, f"run-{number}", wish(f"wish {number}"))
        assert holder.execution_arn == "run-1"
    events = FakeEvents()
    assert end_lease(claims, wishes, events, "demo", "run-1") == {"asked_for": "wish 3"}
    assert end_lease(claims, wishes, events, "demo", "run-1") == {"asked_for": ""}
    assert len(events.announced) == 1
    assert take_lease(claims, running, wishes, "run-4", wish("now")) is None


def test_a_dead_holder_holds_nothing():
    claims = FakeClaims(Claim(LEASE, CLAIMED, "run-0"))
    assert take_lease(claims, FakeExecutions(), FakeWishes(), "run-1", wish("w")) is None


def test_who_asks_just_when_the_holder_ends_is_not_forgotten():
    claims, wishes = LettingGo(Claim(LEASE, CLAIMED, "run-1")), FakeWishes()
    assert take_lease(claims, FakeExecutions("run-1"), wishes, "run-2", wish("w")) is None
    assert wishes.wish is None


def test_another_executions_lease_is_not_ended():
    claims = FakeClaims(Claim(LEASE, CLAIMED, "run-1"))
    end_lease(claims, FakeWishes(), FakeEvents(), "demo", "run-2")
    assert claims.get(LEASE).is_held_by("run-1")
