"""Records of the online store: spelled as text that reads back to the last bit, and written."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, TypedDict

import pyarrow as pa

from pipeline_code.data_pipeline.contract import EVENT_TIME_COLUMN
from pipeline_code.data_pipeline.offline_rows import event_times

BATCH = 25
"""Entries that one BatchWriteRecord takes."""
ATTEMPTS = 8
LONGEST_PAUSE_SECONDS = 20.0
TRANSIENT = ("InternalFailure", "ServiceUnavailable", "ThrottlingException", "Throttling")


class FeatureStoreError(Exception):
    """The online store refused records; the message says which, where and why."""


class FeatureValue(TypedDict):
    """One feature of a record."""

    FeatureName: str
    ValueAsString: str


class Entry(TypedDict):
    """One record on its way; its offline row is written apart."""

    FeatureGroupName: str
    Record: list[FeatureValue]
    TargetStores: list[str]


class RecordStore(Protocol):
    """What writes records: the runtime's client."""

    def batch_write_record(self, *, Entries: Sequence[Entry]) -> Mapping[str, Any]:  # noqa: N803
        """Write records; tell the refused and the unprocessed ones."""
        ...


def entries(rows: pa.Table, feature_group: str) -> Iterator[Entry]:
    """Spell rows as records; a null is a feature that the record has not."""
    place = rows.schema.get_field_index(EVENT_TIME_COLUMN)
    spelled = rows.set_column(place, EVENT_TIME_COLUMN, event_times(rows))
    names = spelled.schema.names
    columns = [_texts(spelled.column(name)) for name in names]
    for values in zip(*columns, strict=True):
        record = [
            FeatureValue(FeatureName=name, ValueAsString=value)
            for name, value in zip(names, values, strict=True)
            if value is not None
        ]
        yield Entry(FeatureGroupName=feature_group, Record=record, TargetStores=["OnlineStore"])


def _texts(values: pa.ChunkedArray) -> list[str | None]:
    """Spell numbers by repr: the shortest text that reads back as the very same number."""
    if pa.types.is_string(values.type):
        return list(values.to_pylist())
    return [None if value is None else repr(value) for value in values.to_pylist()]


def write(
    store: RecordStore,
    given: Iterable[Entry],
    *,
    pause: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> int:
    """Write records in batches, again what was not processed; return how many were written."""
    written = 0
    for batch in _batches(given):
        _write_batch(store, batch, pause, jitter)
        written += len(batch)
    return written


def _batches(given: Iterable[Entry]) -> Iterator[list[Entry]]:
    remaining = iter(given)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _write_batch(
    store: RecordStore,
    batch: Sequence[Entry],
    pause: Callable[[float], None],
    jitter: Callable[[], float],
) -> None:
    waiting = batch
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(jitter() * min(LONGEST_PAUSE_SECONDS, 0.1 * 2**attempt))
        waiting = _left(store.batch_write_record(Entries=waiting))
        if not waiting:
            return
    group = waiting[0]["FeatureGroupName"]
    message = f"feature group {group}: {len(waiting)} records unprocessed after {ATTEMPTS} attempts"
    raise FeatureStoreError(message)


def _left(answer: Mapping[str, Any]) -> list[Entry]:
    """List what is to be written again; raise for a record that is wrong."""
    left: list[Entry] = list(answer["UnprocessedEntries"])
    for error in answer["Errors"]:
        if error["ErrorCode"] not in TRANSIENT:
            entry = error["Entry"]
            message = (
                f"feature group {entry['FeatureGroupName']}: {error['ErrorCode']} for record"
                f" {entry['Record'][0]['ValueAsString']!r}: {error['ErrorMessage']}"
            )
            raise FeatureStoreError(message)
        left.append(error["Entry"])
    return left
