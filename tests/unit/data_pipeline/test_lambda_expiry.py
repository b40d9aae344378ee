"""Expiry of dataset versions: what the policy keeps, what others need, and who wins a race."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lambdas.data_pipeline.contract import EXPIRED, EXPIRING
from lambdas.data_pipeline.expire_datasets.logic import (
    LEDGER_EVENT,
    Policy,
    Version,
    expire_datasets,
)
from tests.unit.common.fakes import FakeLedger

NOW = datetime(2026, 6, 1, tzinfo=UTC)
POLICY = Policy(keep_datasets=2, keep_days=30)


def version(name: str, days: int, state: str = "") -> Version:
    return Version(name, (NOW - timedelta(days=days)).isoformat(), state)


class FakeStore:
    """Versions, who needs them, their files and partitions, and the order of what happens."""

    def __init__(self, *versions: Version) -> None:
        self.known = {each.dataset_id: each for each in versions}
        self.needed: dict[str, str] = {}
        self.log: list[tuple[str, str]] = []
        self.between: Callable[[], None] = lambda: None
        self.ledger = FakeLedger()

    def versions(self) -> list[Version]:
        alive = [each for each in self.known.values() if each.state != EXPIRED]
        return sorted(alive, key=lambda each: each.published_at, reverse=True)

    def mark(self, version: Version) -> bool:
        if self.known[version.dataset_id] != version:
            return False
        self._set(version, EXPIRING)
        self.between()
        return True

    def unmark(self, version: Version) -> None:
        self._set(version, "")

    def finish(self, version: Version, at: str) -> None:
        assert at
        self._set(version, EXPIRED)

    def need(self, dataset_id: str) -> str:
        return self.needed.get(dataset_id, "")

    def delete(self, dataset_id: str) -> None:
        assert self.known[dataset_id].state == EXPIRING
        self.log.append(("deleted", dataset_id))

    def forget(self, dataset_id: str) -> None:
        self.log.append(("forgotten", dataset_id))

    def _set(self, version: Version, state: str) -> None:
        self.known[version.dataset_id] = replace(self.known[version.dataset_id], state=state)
        self.log.append((state or "kept", version.dataset_id))


def expire(store: FakeStore, *, dry_run: bool = False):
    request = {"dry_run": dry_run}
    return expire_datasets(request, POLICY, store, store, store, store, store.ledger, NOW.isoformat)


def old_ones(*names: str) -> tuple[Version, ...]:
    return (version("new-1", 1), version("new-2", 2), *(version(name, 90) for name in names))


def test_the_newest_and_the_young_are_kept_and_the_others_go():
    store = FakeStore(version("a", 400), version("b", 300), version("c", 29), version("d", 31))

    answer = expire(store)

    assert answer["expired"] == ["b", "a"]
    assert {name: each.state for name, each in store.known.items()} == {
        "a": EXPIRED, "b": EXPIRED, "c": "", "d": "",
    }  # fmt: skip


def test_a_version_goes_in_the_order_that_no_reader_notices_and_the_ledger_says_why():
    store = FakeStore(*old_ones("old"))
    expire(store)
    assert store.log == [
        (EXPIRING, "old"),
        ("forgotten", "old"),
        ("deleted", "old"),
        (EXPIRED, "old"),
    ]
    (record,) = store.ledger.records
    assert (record["event_type"], record["subject"]) == (LEDGER_EVENT, "old")


def test_what_somebody_needs_stays_and_the_answer_says_who():
    store = FakeStore(*old_ones("old", "older"))
    store.needed["old"] = "Model version 3 rests on it."

    answer = expire(store)

    assert answer["expired"] == ["older"]
    assert answer["kept"] == {"old": "Model version 3 rests on it."}
    assert store.known["old"].state == ""
    assert ("deleted", "old") not in store.log


def test_who_comes_while_a_version_is_marked_is_seen():
    store = FakeStore(*old_ones("old"))
    store.between = lambda: store.needed.update(old="Training t-1 is under way.")

    assert expire(store)["kept"] == {"old": "Training t-1 is under way."}
    assert store.known["old"].state == ""


def test_a_dry_run_changes_nothing():
    store = FakeStore(*old_ones("old", "needed"))
    store.needed["needed"] = "It is the latest version."

    answer = expire(store, dry_run=True)

    assert answer == {
        "dry_run": True,
        "expired": ["old"],
        "kept": {"needed": "It is the latest version."},
    }
    assert (store.log, store.ledger.records) == ([], [])


@pytest.mark.parametrize("place", ["delete", "forget", "finish"])
def test_a_call_that_died_is_finished_by_the_next(place, monkeypatch):
    store = FakeStore(*old_ones("old"))

    def die(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(store, place, die)
        with pytest.raises(RuntimeError):
            expire(store)
    assert store.known["old"].state == EXPIRING

    assert expire(store)["expired"] == ["old"]
    assert store.known["old"].state == EXPIRED
    assert len(store.ledger.records) == 1
