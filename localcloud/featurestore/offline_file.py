"""Records as Parquet files of the offline store: one for each event hour."""

from __future__ import annotations

import datetime
import io
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from localcloud.featurestore.event_time import moment

_TYPES = {"Integral": pa.int64(), "Fractional": pa.float64(), "String": pa.string()}
_TIME = pa.timestamp("ms", tz="UTC")
_READ = {"Integral": int, "Fractional": float, "String": str}
CATALOG_TYPES = {"Integral": "bigint", "Fractional": "double", "String": "string"}
ADDED = {"write_time": "timestamp", "api_invocation_time": "timestamp", "is_deleted": "boolean"}
"""Columns that the store adds to a group's features, and their types in the catalog."""
PARTITIONS = ("year", "month", "day", "hour")
_RANDOM_CHARACTERS = 16
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Row:
    """One record on its way to the offline store."""

    event_time: int
    values: Mapping[str, str]
    invoked_at: float
    is_deleted: bool


def files(
    types: Mapping[str, str], rows: Sequence[Row], written_at: float
) -> Iterator[tuple[str, bytes]]:
    """Spell rows as files: the path below the group's folder, and the content."""
    ordered = sorted(rows, key=lambda row: row.event_time)
    for folder, hour in groupby(ordered, key=_folder):
        together = list(hour)
        latest = f"{moment(together[-1].event_time):%Y%m%dT%H%M%SZ}"
        name = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
        yield f"{folder}/{latest}_{name}.parquet", _content(types, together, written_at)


def _folder(row: Row) -> str:
    return f"{moment(row.event_time):year=%Y/month=%m/day=%d/hour=%H}"


def _content(types: Mapping[str, str], rows: Sequence[Row], written_at: float) -> bytes:
    columns: dict[str, Any] = {
        name: pa.array([_value(row, name, kind) for row in rows], type=_TYPES[kind])
        for name, kind in types.items()
    }
    columns["write_time"] = pa.array([_time(written_at)] * len(rows), type=_TIME)
    columns["api_invocation_time"] = pa.array([_time(row.invoked_at) for row in rows], type=_TIME)
    columns["is_deleted"] = pa.array([row.is_deleted for row in rows], type=pa.bool_())
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content, compression="snappy")
    return content.getvalue()


def _value(row: Row, name: str, kind: str) -> object:
    text = row.values.get(name)
    return None if text is None else _READ[kind](text)


def _time(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
