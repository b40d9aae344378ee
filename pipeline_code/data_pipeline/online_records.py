"""Records of the online store: spelled as text that reads back to the last bit, and written."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Protocol, TypedDict

import pyarrow as pa

from pipeline_code.data_pipeline.contract import ENTITY_COLUMN, EVENT_TIME_COLUMN
from pipeline_code.data_pipeline.offline_rows import event_times

BATCH = 25
"""Entries that one BatchWriteRecord takes."""
READ_BATCH = 100
"""Records that one BatchGetRecord gives."""
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
    """What reads and writes records: the runtime's client."""

    def batch_get_record(self, *, Identifiers: Sequence[Any]) -> Mapping[str, Any]:  # noqa: N803
        """Read records; tell the refused and the unprocessed ones."""
        ...

    def batch_write_record(self, *, Entries: Sequence[Entry]) -> Mapping[str, Any]:  # noqa: N803
        """Write records; tell the refused and the unprocessed ones."""
        ...


@dataclass(frozen=True)
class Patience:
    """Longer and longer pauses, of a random part, between attempts."""

    pause: Callable[[float], None]
    jitter: Callable[[], float]

    def attempts(self, what: str) -> Iterator[int]:
        """Count attempts, each after its pause; raise when there were enough of them."""
        for attempt in range(ATTEMPTS):
            if attempt:
                self.pause(self.jitter() * min(LONGEST_PAUSE_SECONDS, 0.1 * 2**attempt))
            yield attempt
        raise FeatureStoreError(f"could not {what}: still unprocessed after {ATTEMPTS} attempts")


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
    """Write what the store does not say already; return how many records that were.

    The store takes later event times alone. Inputs of a decision that were corrected since they
    were first told are therefore told a millisecond later: whoever looks up gets the correction.
    """
    patience = Patience(pause, jitter)
    written = 0
    for part in _parts(given, READ_BATCH):
        known = _known(store, part, patience)
        due = [_due(entry, known.get(_identifier(entry))) for entry in part]
        for batch in _parts((entry for entry in due if entry), BATCH):
            _write_batch(store, batch, patience)
            written += len(batch)
    return written


def _identifier(entry: Entry) -> str:
    return next(f["ValueAsString"] for f in entry["Record"] if f["FeatureName"] == ENTITY_COLUMN)


def _known(
    store: RecordStore, part: Sequence[Entry], patience: Patience
) -> dict[str, dict[str, str]]:
    """Read what the store says of the entities; they are of one group."""
    wanted = {
        "FeatureGroupName": part[0]["FeatureGroupName"],
        "RecordIdentifiersValueAsString": [_identifier(entry) for entry in part],
    }
    known: dict[str, dict[str, str]] = {}
    waiting: Sequence[Mapping[str, Any]] = [wanted]
    for _ in patience.attempts(f"look up {wanted['FeatureGroupName']}"):
        answer = store.batch_get_record(Identifiers=waiting)
        for error in answer["Errors"]:
            raise _refused(error, error["RecordIdentifierValueAsString"])
        for found in answer["Records"]:
            values = {each["FeatureName"]: each["ValueAsString"] for each in found["Record"]}
            known[found["RecordIdentifierValueAsString"]] = values
        waiting = answer["UnprocessedIdentifiers"]
        if not waiting:
            break
    return known


def _due(entry: Entry, known: Mapping[str, str] | None) -> Entry | None:
    """Say how an entry is to be written, if at all."""
    if known is None:
        return entry
    values = {each["FeatureName"]: each["ValueAsString"] for each in entry["Record"]}
    told = known[EVENT_TIME_COLUMN]
    if {**values, EVENT_TIME_COLUMN: told} == known:
        return None
    values[EVENT_TIME_COLUMN] = max(values[EVENT_TIME_COLUMN], _millisecond_after(told), key=_time)
    record = [FeatureValue(FeatureName=k, ValueAsString=v) for k, v in values.items()]
    return Entry(
        FeatureGroupName=entry["FeatureGroupName"],
        Record=record,
        TargetStores=entry["TargetStores"],
    )


def _time(event_time: str) -> datetime:
    return datetime.fromisoformat(event_time.replace("Z", "+00:00"))


def _millisecond_after(event_time: str) -> str:
    later = _time(event_time) + timedelta(milliseconds=1)
    return f"{later:%Y-%m-%dT%H:%M:%S}.{later.microsecond // 1000:03d}Z"


def _parts(given: Iterable[Entry], size: int) -> Iterator[list[Entry]]:
    remaining = iter(given)
    while part := list(islice(remaining, size)):
        yield part


def _write_batch(store: RecordStore, batch: Sequence[Entry], patience: Patience) -> None:
    waiting = batch
    for _ in patience.attempts(f"write {len(batch)} records of {batch[0]['FeatureGroupName']}"):
        waiting = _left(store.batch_write_record(Entries=waiting))
        if not waiting:
            break


def _left(answer: Mapping[str, Any]) -> list[Entry]:
    """List what is to be written again; raise for a record that is wrong."""
    left: list[Entry] = list(answer["UnprocessedEntries"])
    for error in answer["Errors"]:
        if error["ErrorCode"] not in TRANSIENT:
            group = {"FeatureGroupName": error["Entry"]["FeatureGroupName"]}
            raise _refused({**error, **group}, _identifier(error["Entry"]))
        left.append(error["Entry"])
    return left


def _refused(error: Mapping[str, Any], identifier: str) -> FeatureStoreError:
    return FeatureStoreError(
        f"feature group {error['FeatureGroupName']}: {error['ErrorCode']} for record"
        f" {identifier!r}: {error['ErrorMessage']}"
    )
