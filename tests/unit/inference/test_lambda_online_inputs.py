"""Inputs from the Feature Store: the very values, whole batches, nothing missing unnoticed."""

from __future__ import annotations

import math

import pytest
from botocore.exceptions import ClientError

from lambdas.inference.serve_predictions.online_inputs import FeatureStoreInputs
from lambdas.inference.serve_predictions.refusals import EndpointUnavailableError

GROUPS = {"identity": "test-identity-v1", "sensor": "test-sensor-v1"}
TYPES = {"shop": "String", "visitors": "Integral", "level": "Fractional"}


class FakeStore:
    """Both clients of Feature Store; gives no more records a call than ``limit``."""

    def __init__(self, records, limit=100, error=None):
        self.records = records
        self.limit = limit
        self.error = error
        self.calls = []
        self.described = 0

    def describe_feature_group(self, FeatureGroupName):  # noqa: N803 - AWS's name
        self.described += 1
        return {
            "RecordIdentifierFeatureName": "entity_id",
            "EventTimeFeatureName": "event_time",
            "FeatureDefinitions": [
                {"FeatureName": name, "FeatureType": kind}
                for name, kind in {**TYPES, "entity_id": "String", "event_time": "String"}.items()
            ],
        }

    def batch_get_record(self, Identifiers):  # noqa: N803 - AWS's name
        self.calls.append(Identifiers)
        if self.error:
            raise ClientError({"Error": {"Code": self.error}}, "BatchGetRecord")
        asked = [
            (each["FeatureGroupName"], entity)
            for each in Identifiers
            for entity in each["RecordIdentifiersValueAsString"]
        ]
        given, left = asked[: self.limit], asked[self.limit :]
        return {
            "Records": [
                {
                    "FeatureGroupName": name,
                    "RecordIdentifierValueAsString": entity,
                    "Record": [
                        {"FeatureName": feature, "ValueAsString": value}
                        for feature, value in self.records[name, entity].items()
                    ],
                }
                for name, entity in given
                if (name, entity) in self.records
            ],
            "Errors": [],
            "UnprocessedIdentifiers": [
                {"FeatureGroupName": name, "RecordIdentifiersValueAsString": [entity]}
                for name, entity in left
            ],
        }


def inputs(store) -> FeatureStoreInputs:
    return FeatureStoreInputs(store, store, GROUPS, lambda _attempt: None)


def test_values_come_back_as_they_were_written():
    exact = 0.1 + 0.2
    store = FakeStore(
        {
            ("test-identity-v1", "e"): {
                "entity_id": "e", "event_time": "t", "shop": "north", "visitors": "12",
            },
            ("test-sensor-v1", "e"): {"level": repr(exact)},
        }
    )  # fmt: skip

    (found,) = inputs(store).find(["e"])

    assert found == {"identity": {"shop": "north", "visitors": 12}, "sensor": {"level": exact}}
    assert isinstance(found["identity"]["visitors"], int)
    assert math.copysign(1, found["sensor"]["level"]) == 1


def test_a_group_without_a_record_is_a_missing_source():
    store = FakeStore({("test-identity-v1", "e"): {"shop": "north"}})

    assert inputs(store).find(["e", "nobody"]) == [
        {"identity": {"shop": "north"}, "sensor": None},
        {"identity": None, "sensor": None},
    ]


def test_many_entities_are_asked_for_in_few_calls_in_their_order_each_once():
    names = [f"e{number}" for number in range(120)]
    store = FakeStore({("test-identity-v1", name): {"shop": name} for name in names})

    found = inputs(store).find([*names, "e0"])

    assert [each["identity"]["shop"] for each in found] == [*names, "e0"]
    assert len(store.calls) == 3
    asked = [
        entity
        for call in store.calls
        for entity in call[0]["RecordIdentifiersValueAsString"]
    ]  # fmt: skip
    assert asked == names
    assert store.described == 1


def test_what_was_left_over_is_asked_for_again():
    names = [f"e{number}" for number in range(50)]
    store = FakeStore({("test-identity-v1", name): {"shop": name} for name in names}, limit=40)

    found = inputs(store).find(names)

    assert [each["identity"]["shop"] for each in found] == names
    assert len(store.calls) == 3


@pytest.mark.parametrize("store", [FakeStore({}, limit=0), FakeStore({}, error="Throttling")])
def test_a_store_that_gives_nothing_is_not_taken_for_missing_sources(store):
    with pytest.raises(EndpointUnavailableError):
        inputs(store).find(["e"])


def test_a_denied_look_up_is_a_fault_of_ours():
    with pytest.raises(ClientError):
        inputs(FakeStore({}, error="AccessDeniedException")).find(["e"])
