"""Decides which predictions get an outcome that the API was told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypedDict

from lambdas.common.api import ApiResponse
from pipeline_code.data_pipeline.contract import label_bucket


class Label(TypedDict):
    """What became of an entity, and since when that is known."""

    reference: str
    label: int
    known_at: str


class LabelWish(TypedDict):
    """Body of ``POST /labels``."""

    labels: list[Label]


class Predictions(Protocol):
    """The predictions that await an outcome."""

    def awaiting(self, bucket: str, reference: str) -> Sequence[str]:
        """Find the ids of those that refer to an entity."""

    def record(self, prediction_id: str, label: Label) -> bool:
        """Keep a prediction's outcome once; tell whether it was kept now."""


def record_labels(wish: LabelWish, predictions: Predictions) -> ApiResponse:
    """Give each awaiting prediction its outcome; what has one is left as it is."""
    recorded = 0
    unawaited: list[str] = []
    for label in wish["labels"]:
        reference = label["reference"]
        found = predictions.awaiting(label_bucket(reference), reference)
        recorded += sum(predictions.record(each, label) for each in found)
        if not found:
            unawaited.append(reference)
    return ApiResponse(200, {"recorded": recorded, "awaited_by_none": unawaited}, {})
