"""Sample requests: the same held-out entities whenever they are there, put as online requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypedDict, cast

import numpy as np
import pyarrow as pa

from pipeline_code.data_pipeline.contract import (
    ENTITY_COLUMN,
    EVENT_TIME_COLUMN,
    LABEL_COLUMN,
    PERIOD_COLUMN,
    SPLIT_COLUMN,
    SampleRequest,
    Split,
)
from pipeline_code.use_case import Field, UseCase

DRAW_COLUMN = "draw"
"""A hash of the entity: the rows with the least ones are drawn."""
HELD_OUT: tuple[Split, ...] = ("validation", "test")
SAMPLES_PER_SPLIT = 200


class DrawnSample(TypedDict):
    """A request and its place in the draw of its split."""

    draw: int
    request: SampleRequest


class SampleDraw:
    """Draws from the snapshots of one split that pass by."""

    def __init__(self, use_case: UseCase) -> None:
        self._use_case = use_case
        self._drawn: list[DrawnSample] = []

    def add(self, snapshots: pa.RecordBatch) -> None:
        """Take snapshots along; keep those that the whole split's draw may need."""
        draws = snapshots.column(DRAW_COLUMN).to_numpy()
        least = np.argsort(draws, kind="stable")[:SAMPLES_PER_SPLIT]
        for row in snapshots.take(pa.array(least)).to_pylist():
            if row[SPLIT_COLUMN] in HELD_OUT:
                request = _request(row, self._use_case)
                self._drawn.append(DrawnSample(draw=row[DRAW_COLUMN], request=request))
        self._drawn = _least(self._drawn)

    def to_json(self) -> str:
        """Spell what was drawn."""
        return json.dumps(self._drawn)


def choose_samples(drawn: Iterable[str]) -> list[SampleRequest]:
    """Complete the draw of each split from the draws of its files."""
    samples = [sample for text in drawn for sample in json.loads(text)]
    return [
        sample["request"]
        for split in HELD_OUT
        for sample in _least([s for s in samples if s["request"]["split"] == split])
    ]


def _least(samples: list[DrawnSample]) -> list[DrawnSample]:
    ordered = sorted(samples, key=lambda s: (s["draw"], s["request"]["entity_id"]))
    return ordered[:SAMPLES_PER_SPLIT]


def _request(row: Mapping[str, object], use_case: UseCase) -> SampleRequest:
    time = cast("datetime", row[EVENT_TIME_COLUMN])
    sample = SampleRequest(
        entity_id=str(row[ENTITY_COLUMN]),
        event_time=f"{time:%Y-%m-%dT%H:%M:%SZ}",
        period=str(row[PERIOD_COLUMN]),
        split=cast("Split", row[SPLIT_COLUMN]),
        label=cast("int", row[LABEL_COLUMN]),
        instance={},
    )
    for group, fields in use_case.inputs.items():
        values = {name: _json_value(field, row[name]) for name, field in fields.items()}
        known = any(value is not None for value in values.values())
        sample["instance"][group] = values if known else None
    return sample


def _json_value(field: Field, value: object) -> object:
    """Spell a value as its type in ``inputs.yaml`` asks: 4.0 of type integer is 4."""
    if value is None or field.type in ("string", "datetime"):
        return value
    number = float(str(value))
    return int(number) if field.type == "integer" else number
