"""Decides which dataset versions expire, and lets go of each in an order that no reader notices.

A version is marked first and looked at afterwards: whoever wants to rest on it (a training, a
publication of the same content) notes that first and looks for the mark afterwards. So one of both
sees the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from lambdas.common.clock import Clock
from lambdas.common.ledger import Ledger
from lambdas.data_pipeline.contract import (
    EXPIRING,
    ExpireDatasetsRequest,
    ExpireDatasetsResponse,
)

LEDGER_EVENT = "dataset_expired"
ACTOR = "expire_datasets"
MAX_A_CALL = 20
"""Versions that one call lets go; the next call goes on."""


@dataclass(frozen=True)
class Policy:
    """So many of the newest versions never expire, and none younger than so many days."""

    keep_datasets: int
    keep_days: int


@dataclass(frozen=True)
class Version:
    """A published dataset version; ``state`` is empty unless it expires."""

    dataset_id: str
    published_at: str
    state: str = ""


class Datasets(Protocol):
    """The published dataset versions."""

    def versions(self) -> Sequence[Version]:
        """Read those that have not expired, the newest first."""

    def mark(self, version: Version) -> bool:
        """Note that a version expires; tell whether it was still as given."""

    def unmark(self, version: Version) -> None:
        """Take the note back."""

    def finish(self, version: Version, at: str) -> None:
        """Note that a version has expired."""


class Users(Protocol):
    """Who rests on dataset versions."""

    def need(self, dataset_id: str) -> str:
        """Say who needs a version, consistently; empty if nobody does."""


class Files(Protocol):
    """The files of dataset versions."""

    def delete(self, dataset_id: str) -> None:
        """Delete a version: its manifest first, so that no reader finds a part of it."""


class Catalog(Protocol):
    """The catalog's partitions."""

    def forget(self, dataset_id: str) -> None:
        """Drop the partitions of a version."""


def expire_datasets(
    request: ExpireDatasetsRequest,
    policy: Policy,
    datasets: Datasets,
    users: Users,
    files: Files,
    catalog: Catalog,
    ledger: Ledger,
    clock: Clock,
) -> ExpireDatasetsResponse:
    """Let go of what the policy no longer keeps; a repeated call changes nothing."""
    dry_run = request.get("dry_run", False)
    expired: list[str] = []
    kept: dict[str, str] = {}
    for version in _old(datasets.versions(), policy, clock()):
        if len(expired) == MAX_A_CALL:
            break
        reason = _hold(version, datasets, users, dry_run=dry_run)
        if reason:
            kept[version.dataset_id] = reason
            continue
        expired.append(version.dataset_id)
        if not dry_run:
            _let_go(version, policy, datasets, files, catalog, ledger, clock())
    return {"dry_run": dry_run, "expired": expired, "kept": kept}


def _old(versions: Sequence[Version], policy: Policy, now: str) -> Iterator[Version]:
    """Choose what the policy no longer keeps, and what a call that died had begun with."""
    limit = datetime.fromisoformat(now) - timedelta(days=policy.keep_days)
    for place, version in enumerate(versions):
        is_old = datetime.fromisoformat(version.published_at) < limit
        if version.state == EXPIRING or (place >= policy.keep_datasets and is_old):
            yield version


def _hold(version: Version, datasets: Datasets, users: Users, *, dry_run: bool) -> str:
    """Mark a version and say why it must be kept after all; empty if it may go."""
    if dry_run:
        return users.need(version.dataset_id)
    if not datasets.mark(version):
        return "It changed while it was looked at."
    reason = users.need(version.dataset_id)
    if reason:
        datasets.unmark(version)
    return reason


def _let_go(
    version: Version,
    policy: Policy,
    datasets: Datasets,
    files: Files,
    catalog: Catalog,
    ledger: Ledger,
    now: str,
) -> None:
    catalog.forget(version.dataset_id)
    files.delete(version.dataset_id)
    ledger.append(
        {
            "event_type": LEDGER_EVENT,
            "actor": ACTOR,
            "reason": (
                f"Published {version.published_at}; the newest {policy.keep_datasets} and those "
                f"of {policy.keep_days} days are kept, and nothing rests on it."
            ),
            "subject": version.dataset_id,
            "evidence": {"dataset": version.dataset_id},
            "token": f"{LEDGER_EVENT}:{version.dataset_id}:{version.published_at}",
        }
    )
    datasets.finish(version, now)
