"""All feature groups in one SQLite file: the records online, and those that wait to go offline."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
pragma journal_mode = wal;
pragma synchronous = off;
create table if not exists records (
    feature_group text, identifier text, event_time integer, expires_at integer,
    deleted integer, features text, primary key (feature_group, identifier)
) without rowid;
create table if not exists pending (
    number integer primary key, feature_group text, event_time integer, written text
);
create index if not exists pending_group on pending (feature_group, number);
"""


class Database:
    """One connection, one transaction at a time: what a call wrote survives a graceful stop."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all or nothing, and nothing of anybody else's in between."""
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")
