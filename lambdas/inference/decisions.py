"""Decisions as they are kept: whole documents, rows for analytics, and the record that commits."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypedDict

from lambdas.common.clock import Clock
from lambdas.inference.contract import DECISION_COLUMNS

_ROW = tuple(DECISION_COLUMNS)[3:]


class DecisionRecord(TypedDict):
    """What the table says of a decision."""

    decision_id: str
    decided_at: str
    status: str
    saving: float
    cost: float
    net: float
    document_uri: str


class DecisionStore(Protocol):
    """Where decisions are kept; nothing of them is ever replaced."""

    def find(self, decision_id: str) -> DecisionRecord | None:
        """Find the record of a decision."""

    def read(self, record: DecisionRecord) -> dict[str, Any]:
        """Read a decision's document."""

    def write(self, decision_id: str, document: bytes, rows: bytes, day: str) -> str:
        """Keep a document and its rows; give the document's URI."""

    def commit(self, record: DecisionRecord) -> bool:
        """Make a decision findable; tell whether it was new."""


class Kept(NamedTuple):
    """A decision's record, and its document."""

    record: DecisionRecord
    document: dict[str, Any]


def keep_decision(answer: Mapping[str, Any], store: DecisionStore, clock: Clock) -> Kept:
    """Keep what was decided, once; a request that was decided before has its first answer."""
    identity = str(answer["decision_id"])
    before = store.find(identity)
    if before is not None:
        return Kept(before, store.read(before))
    decided_at = clock()
    document = {**answer, "decided_at": decided_at}
    text = json.dumps(document, sort_keys=True)
    uri = store.write(identity, text.encode(), _rows(document), decided_at[:10])
    record: DecisionRecord = {
        "decision_id": identity,
        "decided_at": decided_at,
        "status": answer["status"],
        "saving": float(answer["saving"]),
        "cost": float(answer["cost"]),
        "net": float(answer["net"]),
        "document_uri": uri,
    }
    store.commit(record)
    return Kept(record, document)


def _rows(document: Mapping[str, Any]) -> bytes:
    """Write a JSON line an entity; its compressed bytes depend on nothing else."""
    common = {name: document[name] for name in ("decision_id", "decided_at", "status")}
    lines = [
        json.dumps({**common, **{name: one[name] for name in _ROW}})
        for one in document["decisions"]
    ]
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)
