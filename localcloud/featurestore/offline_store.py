"""The offline store: what was written waits for a moment, then goes to S3 as the group's role."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlparse

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.featurestore.database import Database
from localcloud.featurestore.definition import KIND, Definition
from localcloud.featurestore.offline_file import Row, files
from localcloud.registry import ServiceError
from localcloud.sagemaker.scope import Document, Scope
from localcloud.sagemaker.store import Store

LOG = logging.getLogger(__name__)
FLUSH_SECONDS = 1.0
"""AWS takes up to 15 minutes."""
BLOCKED_SECONDS = 60.0
"""A group whose role may not write is tried again after this."""
_ROWS = 50_000
Objects = Callable[[str], Any]
"""Role ARN -> a client of S3 that acts as this role."""


class OfflineStore:
    """Collects records and deletion markers; writes them in the background and at the end."""

    def __init__(self, database: Database, store: Store, objects: Objects) -> None:
        self._database = database
        self._store = store
        self._objects = objects
        self._blocked: dict[str, float] = {}
        self._flushing = threading.Lock()
        self._ending = threading.Event()

    def append(self, rows: sqlite3.Connection, definition: Definition, row: Row) -> None:
        """Take a row along in the transaction that wrote it online."""
        written = json.dumps([row.values, row.invoked_at, row.is_deleted], separators=(",", ":"))
        rows.execute(
            "insert into pending (feature_group, event_time, written) values (?, ?, ?)",
            (definition.key, row.event_time, written),
        )

    def start(self) -> None:
        """Begin to write in the background."""
        threading.Thread(target=self._write_on, daemon=True).start()

    def _write_on(self) -> None:
        while not self._ending.wait(FLUSH_SECONDS):
            self.flush()

    def finish(self) -> None:
        """Write what waits; what cannot be written stays for the next start."""
        self._ending.set()
        self.flush(again=True)

    def flush(self, *, again: bool = False) -> None:
        """Write what waits, also of groups that could not be written to, if asked for again."""
        with self._flushing:
            for scope, name in list(self._store.everywhere(KIND)):
                document = self._store.find(scope, KIND, name)
                if document and "OfflineStoreConfig" in document:
                    self._flush_group(scope, document, again=again)

    def _flush_group(self, scope: Scope, document: Document, *, again: bool) -> None:
        name = document["FeatureGroupName"]
        key = f"{scope.account}/{scope.region}/{name}/{document['CreationTime']}"
        if not again and self._blocked.get(key, 0.0) > time.monotonic():
            return
        while waiting := self._waiting(key):
            try:
                self._write(document, [row for _, row in waiting])
            except (ServiceError, ClientError, BotoCoreError) as error:
                self._block(scope, name, key, str(error))
                return
            self._written(scope, document, key, [number for number, _ in waiting])

    def _waiting(self, key: str) -> Sequence[tuple[int, Row]]:
        with self._database.transaction() as rows:
            found = rows.execute(
                "select number, event_time, written from pending where feature_group = ?"
                " order by number limit ?",
                (key, _ROWS),
            ).fetchall()
        return [(number, Row(event_time, *json.loads(text))) for number, event_time, text in found]

    def _write(self, document: Document, waiting: Sequence[Row]) -> None:
        storage = document["OfflineStoreConfig"]["S3StorageConfig"]
        place = urlparse(storage["ResolvedOutputS3Uri"])
        client = self._objects(document["RoleArn"])
        types = {
            each["FeatureName"]: each["FeatureType"] for each in document["FeatureDefinitions"]
        }
        for path, content in files(types, waiting, time.time()):
            client.put_object(
                Bucket=place.netloc,
                Key=f"{place.path.lstrip('/')}/{path}",
                Body=content,
                **_encryption(storage.get("KmsKeyId")),
            )

    def _written(self, scope: Scope, document: Document, key: str, numbers: Sequence[int]) -> None:
        with self._database.transaction() as rows:
            rows.executemany("delete from pending where number = ?", [(n,) for n in numbers])
        if self._blocked.pop(key, None):
            active = {"Status": "Active"}
            self._store.change(scope, KIND, document["FeatureGroupName"], OfflineStoreStatus=active)

    def _block(self, scope: Scope, name: str, key: str, reason: str) -> None:
        LOG.error("the offline store of feature group %s cannot be written: %s", name, reason)
        self._blocked[key] = time.monotonic() + BLOCKED_SECONDS
        blocked = {"Status": "Blocked", "BlockedReason": reason[:1024]}
        self._store.change(scope, KIND, name, OfflineStoreStatus=blocked)


def _encryption(key: str | None) -> Mapping[str, str]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
