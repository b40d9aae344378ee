"""Past predictions and outcomes: who gets one, how far a call goes, what a second call does."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from lambdas.data_pipeline.join_outcomes import logic
from lambdas.data_pipeline.join_outcomes.logic import (
    AwaitingPrediction,
    BadCursorError,
    Outcome,
    Page,
    join_outcomes,
)
from pipeline_code.data_pipeline.contract import LABEL_BUCKETS, label_bucket

PAGE = 3


class FakePredictions:
    def __init__(self, waiting: Mapping[str, str]) -> None:
        self.waiting = dict(waiting)
        self.outcomes: dict[str, int] = {}

    def awaiting(self, bucket: str, after: str) -> Page:
        found = sorted(
            AwaitingPrediction(prediction, entity)
            for prediction, entity in self.waiting.items()
            if label_bucket(entity) == bucket and prediction > after
        )
        more = found[PAGE - 1].prediction_id if len(found) > PAGE else ""
        return Page(found[:PAGE], more)

    def record(self, prediction: AwaitingPrediction, outcome: Outcome) -> bool:
        if self.waiting.pop(prediction.prediction_id, None) is None:
            return False
        self.outcomes[prediction.prediction_id] = outcome["label"]
        return True


class FakeOutcomes:
    def __init__(self, labels: Mapping[str, int]) -> None:
        self.labels = dict(labels)
        self.asked: list[str] = []

    def find(self, bucket: str, entities: Collection[str]) -> Mapping[str, Outcome]:
        self.asked.append(bucket)
        return {
            entity: Outcome(entity_id=entity, label=self.labels[entity], known_at="2026-01-01")
            for entity in entities
            if entity in self.labels and label_bucket(entity) == bucket
        }


def test_a_prediction_gets_its_outcome_once_and_the_others_go_on_waiting():
    predictions = FakePredictions({"p1": "known", "p2": "unknown", "p3": "known"})
    outcomes = FakeOutcomes({"known": 1})

    first = join_outcomes({"cursor": ""}, predictions, outcomes)
    second = join_outcomes({"cursor": ""}, predictions, outcomes)

    assert first == {"examined": 3, "joined": 2, "cursor": ""}
    assert second == {"examined": 1, "joined": 0, "cursor": ""}
    assert predictions.outcomes == {"p1": 1, "p3": 1}
    assert predictions.waiting == {"p2": "unknown"}


def test_only_buckets_in_which_a_prediction_waits_are_read():
    outcomes = FakeOutcomes({})
    join_outcomes({"cursor": ""}, FakePredictions({"p1": "entity"}), outcomes)
    assert outcomes.asked == [label_bucket("entity")]


def test_a_call_is_bounded_and_the_next_goes_on_where_it_stopped(monkeypatch):
    monkeypatch.setattr(logic, "MAX_EXAMINED", 4)
    waiting = {f"p{number:02d}": f"entity-{number}" for number in range(30)}
    predictions = FakePredictions(waiting)
    outcomes = FakeOutcomes({entity: 0 for entity in waiting.values() if entity != "entity-7"})

    calls, cursor = 0, ""
    while not calls or cursor:
        answer = join_outcomes({"cursor": cursor}, predictions, outcomes)
        cursor, calls = answer["cursor"], calls + 1
        assert answer["examined"] <= 4 + PAGE

    assert calls > 3
    assert set(predictions.waiting.values()) == {"entity-7"}


@pytest.mark.parametrize("cursor", ["nonsense", '["x", ""]'])
def test_a_foreign_cursor_is_refused(cursor):
    with pytest.raises(BadCursorError, match="begin with an empty one"):
        join_outcomes({"cursor": cursor}, FakePredictions({}), FakeOutcomes({}))


def test_entities_are_spread_over_all_buckets():
    assert {label_bucket(f"entity-{number}") for number in range(500)} == set(LABEL_BUCKETS)
