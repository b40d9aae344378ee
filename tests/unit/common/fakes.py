"""One fake per Protocol of the functions' shared code."""

from __future__ import annotations

from typing import Any

from lambdas.common.claims import Claim
from lambdas.common.errors import DocumentNotFoundError
from lambdas.common.ledger import Entry, LedgerRecord, next_record


class FakeClaims:
    """Claims in memory, with the conditional write of the real ones."""

    def __init__(self, *claims: Claim) -> None:
        self.stored = {claim.subject: claim for claim in claims}

    def get(self, subject: str) -> Claim | None:
        return self.stored.get(subject)

    def put(self, claim: Claim, *, replacing: Claim | None) -> bool:
        if _holder(self.stored.get(claim.subject)) != _holder(replacing):
            return self.stored.get(claim.subject) == claim
        self.stored[claim.subject] = claim
        return True


class RacingClaims(FakeClaims):
    """Claims that another execution changes just before the first write."""

    def __init__(self, rival: Claim, *claims: Claim) -> None:
        super().__init__(*claims)
        self._rival: Claim | None = rival

    def put(self, claim: Claim, *, replacing: Claim | None) -> bool:
        if self._rival:
            self.stored[self._rival.subject] = self._rival
            self._rival = None
        return super().put(claim, replacing=replacing)


class FakeExecutions:
    """Executions of which some are running."""

    def __init__(self, *running: str) -> None:
        self.running = set(running)

    def is_running(self, execution_arn: str) -> bool:
        return execution_arn in self.running


class FakeLedger:
    """A chain in memory."""

    def __init__(self) -> None:
        self.records: list[LedgerRecord] = []

    def append(self, entry: Entry) -> LedgerRecord:
        for record in self.records:
            if record["token"] == entry["token"]:
                return record
        head = self.records[-1] if self.records else None
        self.records.append(next_record("chain", head, entry, "2026-01-01T00:00:00.000Z"))
        return self.records[-1]


class FakeEvents:
    """Events that were announced."""

    def __init__(self) -> None:
        self.announced: list[tuple[str, dict[str, Any]]] = []

    def announce(self, event_type: str, detail: Any) -> None:
        self.announced.append((event_type, dict(detail)))


class FakePackages:
    """Versions that were mirrored."""

    def __init__(self) -> None:
        self.mirrored: list[int] = []

    def mirror(self, version: int) -> None:
        self.mirrored.append(version)


class FakeDocuments:
    """Documents in memory."""

    def __init__(self, **documents: Any) -> None:
        self.documents: dict[str, Any] = dict(documents)

    def read(self, uri: str) -> Any:
        if uri not in self.documents:
            raise DocumentNotFoundError(uri=uri)
        return self.documents[uri]

    def write(self, uri: str, document: object) -> None:
        self.documents[uri] = document


def _holder(claim: Claim | None) -> tuple[str, str] | None:
    return (claim.state, claim.execution_arn) if claim else None


class FakeAttempts:
    """Idempotency keys in memory, with the conditional write of the real ones."""

    def __init__(self):
        self.kept = {}

    def begin(self, attempt, now):
        found = self.kept.get(attempt["request_key"])
        abandoned = found and not found["answer"] and found["locked_until"] <= now
        if found is None or found["expires_at"] <= now or abandoned:
            self.kept[attempt["request_key"]] = attempt
            return None
        return found

    def finish(self, attempt):
        if self._holds(attempt):
            self.kept[attempt["request_key"]] = attempt

    def abandon(self, attempt):
        if self._holds(attempt):
            del self.kept[attempt["request_key"]]

    def _holds(self, attempt):
        found = self.kept.get(attempt["request_key"])
        return found is not None and found["holder"] == attempt["holder"]
