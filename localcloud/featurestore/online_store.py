"""The online store: of each record the latest by event time, until it expires or is deleted."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from localcloud.featurestore.definition import Definition
from localcloud.featurestore.record import Record

_MICROSECONDS = 1_000_000
# A record whose time has come is gone, so it is older than any other.
_LATER = """
insert into records values (?, ?, ?, ?, ?, ?)
on conflict (feature_group, identifier) do update set
    event_time = excluded.event_time, expires_at = excluded.expires_at,
    deleted = excluded.deleted, features = excluded.features
where excluded.event_time > records.event_time or records.expires_at <= ?
"""
# What has not expired; what follows is its columns and its further conditions.
_LIVE = "from records where feature_group = ? and (expires_at is null or expires_at > ?)"
_ONE = f"{_LIVE} and identifier = ?"
_EVENT_TIME = f"select event_time {_ONE}"
_REMOVE = f"delete {_ONE}"
_FIND = f"select features, expires_at {_ONE} and not deleted"
_LIST = f"select identifier {_LIVE} and identifier > ? and deleted <= ? order by identifier limit ?"
_SIZE = f"select coalesce(sum(length(features)), 0) {_LIVE}"


@dataclass(frozen=True)
class Found:
    """A record as it is read."""

    values: Mapping[str, str]
    expires_at: int | None


def now() -> int:
    """Tell the time in microseconds since 1970."""
    return int(time.time() * _MICROSECONDS)


def put(
    rows: sqlite3.Connection, definition: Definition, record: Record, lifetime: int | None
) -> bool:
    """Store a record unless there is one that is not older; tell whether it was stored."""
    expires_at = None if lifetime is None else record.event_time + lifetime
    features = json.dumps(record.values, separators=(",", ":"))
    return _write(rows, definition, record, expires_at, deleted=False, features=features)


def soft_delete(rows: sqlite3.Connection, definition: Definition, record: Record) -> bool:
    """Leave a marker in a record's place, which no older record replaces."""
    return _write(rows, definition, record, None, deleted=True, features="{}")


def _write(
    rows: sqlite3.Connection,
    definition: Definition,
    record: Record,
    expires_at: int | None,
    *,
    deleted: bool,
    features: str,
) -> bool:
    values = (record.identifier, record.event_time, expires_at, deleted, features)
    return rows.execute(_LATER, (definition.key, *values, now())).rowcount > 0


def hard_delete(rows: sqlite3.Connection, definition: Definition, record: Record) -> bool:
    """Remove a record without a trace; refuse, by telling so, if it is not older than that."""
    chosen = (definition.key, now(), record.identifier)
    newest = rows.execute(_EVENT_TIME, chosen).fetchone()
    if newest and newest[0] >= record.event_time:
        return False
    rows.execute(_REMOVE, chosen)
    return True


def find(rows: sqlite3.Connection, definition: Definition, identifier: str) -> Found | None:
    """Read a record."""
    row = rows.execute(_FIND, (definition.key, now(), identifier)).fetchone()
    return Found(json.loads(row[0]), row[1]) if row else None


def identifiers(
    rows: sqlite3.Connection, definition: Definition, after: str, count: int, *, deleted: bool
) -> Sequence[str]:
    """List identifiers in their order, those greater than `after`."""
    found = rows.execute(_LIST, (definition.key, now(), after, deleted, count))
    return [row[0] for row in found]


def size_bytes(rows: sqlite3.Connection, definition: Definition) -> int:
    """Add up what a group's records hold."""
    return int(rows.execute(_SIZE, (definition.key, now())).fetchone()[0])


def drop(rows: sqlite3.Connection, definition: Definition) -> None:
    """Forget all records of a group."""
    rows.execute("delete from records where feature_group = ?", (definition.key,))


def expire(rows: sqlite3.Connection) -> None:
    """Remove every record whose time has come."""
    rows.execute("delete from records where expires_at <= ?", (now(),))
