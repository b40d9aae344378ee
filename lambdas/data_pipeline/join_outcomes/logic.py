"""Decides which past predictions get their outcome, a bounded number a call."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, TypedDict

from lambdas.common.errors import DocumentedError
from lambdas.data_pipeline.contract import JoinOutcomesRequest, JoinOutcomesResponse
from pipeline_code.data_pipeline.contract import LABEL_BUCKETS

MAX_EXAMINED = 2000
"""Predictions that one call looks at, give or take a page; the workflow calls until all are."""


class BadCursorError(DocumentedError):
    """The cursor {cursor!r} is none that join_outcomes gave; begin with an empty one."""


class Outcome(TypedDict):
    """What happened to an entity, and since when that is known."""

    entity_id: str
    label: int
    known_at: str


class AwaitingPrediction(NamedTuple):
    """A prediction that refers to an entity whose outcome it does not have yet."""

    prediction_id: str
    entity_id: str


class Page(NamedTuple):
    """Some of a bucket's predictions; ``after`` is where the next page begins, empty at the end."""

    predictions: Sequence[AwaitingPrediction]
    after: str


class Predictions(Protocol):
    """The prediction log."""

    def awaiting(self, bucket: str, after: str) -> Page:
        """Read a page of the predictions that wait for an outcome of a bucket."""

    def record(self, prediction: AwaitingPrediction, outcome: Outcome) -> bool:
        """Keep a prediction's outcome once; tell whether it was kept now."""


class Outcomes(Protocol):
    """The outcomes that are known."""

    def find(self, bucket: str, entities: Collection[str]) -> Mapping[str, Outcome]:
        """Find the outcomes of entities of a bucket."""


def join_outcomes(
    request: JoinOutcomesRequest, predictions: Predictions, outcomes: Outcomes
) -> JoinOutcomesResponse:
    """Join past predictions and outcomes; a repeated call changes nothing."""
    bucket, after = _read(request["cursor"])
    examined = joined = 0
    while bucket and examined < MAX_EXAMINED:
        page = predictions.awaiting(bucket, after)
        found = _find(outcomes, bucket, page.predictions)
        examined += len(page.predictions)
        joined += sum(
            predictions.record(each, found[each.entity_id])
            for each in page.predictions
            if each.entity_id in found
        )
        after = page.after
        if not after:
            bucket = LABEL_BUCKETS[LABEL_BUCKETS.index(bucket) + 1 :][:1]
    cursor = json.dumps([bucket, after]) if bucket else ""
    return {"examined": examined, "joined": joined, "cursor": cursor}


def _find(
    outcomes: Outcomes, bucket: str, predictions: Sequence[AwaitingPrediction]
) -> Mapping[str, Outcome]:
    entities = {each.entity_id for each in predictions}
    return outcomes.find(bucket, entities) if entities else {}


def _read(cursor: str) -> tuple[str, str]:
    if not cursor:
        return LABEL_BUCKETS[0], ""
    try:
        bucket, after = json.loads(cursor)
    except ValueError:
        raise BadCursorError(cursor=cursor) from None
    if bucket not in LABEL_BUCKETS:
        raise BadCursorError(cursor=cursor)
    return bucket, after
