"""Rows of the offline store: each group of inputs by month, in files named by what they say."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline_code.data_pipeline.contract import (
    ENTITY_COLUMN,
    EVENT_TIME_COLUMN,
    EVENT_TIME_FORMAT,
    FEATURES_PREFIX,
    feature_group_name,
)
from pipeline_code.use_case import UseCase

COMPRESSION = "zstd"
TIME = pa.timestamp("ms", tz="UTC")


@dataclass(frozen=True)
class OfflineFile:
    """One file: the rows of one group in one month of event time."""

    key: str
    content: bytes
    rows: int


def group_rows(inputs: pa.Table, use_case: UseCase, group: str) -> pa.Table:
    """Take a group's inputs; a row without any of them has no record, but in the first group."""
    fields = list(use_case.inputs[group])
    rows = inputs.select([ENTITY_COLUMN, EVENT_TIME_COLUMN, *fields])
    if group == use_case.required_group:
        return rows
    known = reduce(pc.or_, (pc.is_valid(rows.column(name)) for name in fields))
    return rows.filter(known)


def offline_files(
    inputs: pa.Table, use_case: UseCase, prefix: str, written_at: datetime
) -> Iterator[OfflineFile]:
    """Spell the files of rows in the order of event time.

    A file is named by the digest of its rows, without the time of writing: the same rows are
    never added a second time, and rows that changed are added beside what was known before.
    """
    for group in use_case.inputs:
        name = feature_group_name(prefix, group, use_case.inputs_version)
        for folder, rows in _months(group_rows(inputs, use_case, group)):
            spelled = _with_text_time(rows)
            key = f"{FEATURES_PREFIX}{name}/{folder}/{_digest(spelled)}.parquet"
            yield OfflineFile(key, _content(spelled, written_at), spelled.num_rows)


def _months(rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    months = pc.strftime(rows.column(EVENT_TIME_COLUMN), format="year=%Y/month=%m")
    names = np.asarray(months.to_pandas())
    changes = np.flatnonzero(names[1:] != names[:-1]) + 1
    for first, end in pairwise([0, *changes.tolist(), rows.num_rows]):
        if end > first:
            yield str(names[first]), rows.slice(first, end - first)


def _with_text_time(rows: pa.Table) -> pa.Table:
    place = rows.schema.get_field_index(EVENT_TIME_COLUMN)
    return rows.set_column(place, EVENT_TIME_COLUMN, event_times(rows))


def event_times(rows: pa.Table) -> pa.ChunkedArray:
    """Spell event times as Feature Store reads them."""
    seconds = rows.column(EVENT_TIME_COLUMN).cast(pa.timestamp("s", tz="UTC"))
    return pc.strftime(seconds, format=EVENT_TIME_FORMAT)


def _digest(rows: pa.Table) -> str:
    digest = hashlib.sha256(str(rows.schema.names).encode())
    for name in rows.schema.names:
        digest.update(name.encode())
        digest.update(_spelled(rows.column(name)))
    return digest.hexdigest()


def _spelled(values: pa.ChunkedArray) -> bytes:
    """Spell a column so that equal values, and no others, give equal bytes."""
    if pa.types.is_string(values.type):
        texts = values.to_pylist()
        return "\x1f".join("\x00" if text is None else text for text in texts).encode()
    known = np.asarray(values.is_valid().to_numpy())
    return known.tobytes() + np.asarray(values.fill_null(0).to_numpy()).tobytes()


def _content(rows: pa.Table, written_at: datetime) -> bytes:
    times = pa.array([written_at] * rows.num_rows, type=TIME)
    whole = (
        rows.append_column("write_time", times)
        .append_column("api_invocation_time", times)
        .append_column("is_deleted", pa.array([False] * rows.num_rows))
    )
    content = io.BytesIO()
    pq.write_table(whole, content, compression=COMPRESSION)
    return content.getvalue()
