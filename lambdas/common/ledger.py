"""The ledger: every state change of the platform as one append-only, hash-chained record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypedDict

from lambdas.common.digests import digest_of
from lambdas.common.errors import DocumentedError

GENESIS_DIGEST = "0" * 64
"""What the first record of a chain has for its predecessor."""


class Entry(TypedDict):
    """A state change to record. Its ``token`` names it: the same token is recorded once."""

    event_type: str
    actor: str
    reason: str
    subject: str
    evidence: Mapping[str, str]
    token: str


class LedgerRecord(Entry):
    """A recorded state change, bound to its predecessor by digest."""

    chain: str
    sequence: int
    at: str
    previous_digest: str
    digest: str


class BrokenChainError(DocumentedError):
    """Record {sequence} of the ledger {chain} was tampered with or lost: {fault}."""


class Ledger(Protocol):
    """One use case's chain of records."""

    def append(self, entry: Entry) -> LedgerRecord:
        """Record a state change once; a token that is there already gives its record."""


def next_record(
    chain: str, head: Mapping[str, object] | None, entry: Entry, at: str
) -> LedgerRecord:
    """Bind an entry to the head of its chain."""
    record: LedgerRecord = {
        "chain": chain,
        "sequence": int(str(head["sequence"])) + 1 if head else 1,
        "event_type": entry["event_type"],
        "at": at,
        "actor": entry["actor"],
        "reason": entry["reason"],
        "subject": entry["subject"],
        "evidence": dict(entry["evidence"]),
        "token": entry["token"],
        "previous_digest": str(head["digest"]) if head else GENESIS_DIGEST,
        "digest": "",
    }
    record["digest"] = record_digest(record)
    return record


def record_digest(record: Mapping[str, object]) -> str:
    """Give the digest of all of a record but its digest."""
    return digest_of({name: value for name, value in record.items() if name != "digest"})


def verify_chain(records: Iterable[Mapping[str, object]]) -> int:
    """Check a whole chain in its order, and count its records; raises ``BrokenChainError``."""
    count, previous = 0, GENESIS_DIGEST
    for record in records:
        count += 1
        fault = _fault(record, count, previous)
        if fault:
            raise BrokenChainError(
                sequence=record.get("sequence"), chain=record.get("chain"), fault=fault
            )
        previous = str(record["digest"])
    return count


def _fault(record: Mapping[str, object], sequence: int, previous: str) -> str:
    if record.get("sequence") != sequence:
        return f"record {sequence} is expected here"
    if record.get("previous_digest") != previous:
        return "it does not follow the record before it"
    if record.get("digest") != record_digest(record):
        return "its content does not have its digest"
    return ""
