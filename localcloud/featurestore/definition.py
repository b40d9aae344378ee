"""A feature group as the runtime sees it: its features by type, its stores, its lifetime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.scope import Document, Scope

KIND = "feature-group"
ONLINE, OFFLINE = "OnlineStore", "OfflineStore"
UNIT_SECONDS = {"Seconds": 1, "Minutes": 60, "Hours": 3600, "Days": 86_400, "Weeks": 604_800}
_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Definition:
    """What a record of the group must be like, and where it goes."""

    scope: Scope
    name: str
    key: str
    """Names the group's rows; a group that is made anew under an old name has another one."""
    types: Mapping[str, str]
    identifier: str
    event_time: str
    stores: frozenset[str]
    lifetime: int | None
    """Microseconds from a record's event time to its end; none: for ever."""


def definition_of(scope: Scope, document: Document) -> Definition:
    """Read a stored feature group."""
    online = document.get("OnlineStoreConfig", {})
    stores = {ONLINE} if online.get("EnableOnlineStore") else set()
    stores |= {OFFLINE} if "OfflineStoreConfig" in document else set()
    name = document["FeatureGroupName"]
    return Definition(
        scope=scope,
        name=name,
        key=f"{scope.account}/{scope.region}/{name}/{document['CreationTime']}",
        types={each["FeatureName"]: each["FeatureType"] for each in document["FeatureDefinitions"]},
        identifier=document["RecordIdentifierFeatureName"],
        event_time=document["EventTimeFeatureName"],
        stores=frozenset(stores),
        lifetime=lifetime(online.get("TtlDuration")),
    )


def lifetime(duration: Mapping[str, Any] | None) -> int | None:
    """Return a TtlDuration in microseconds."""
    if not duration or duration.get("Unit") is None or duration.get("Value") is None:
        return None
    return int(duration["Value"]) * UNIT_SECONDS[duration["Unit"]] * _MICROSECONDS


def group_name(name_or_arn: str) -> str:
    """Return the name of a feature group that is given by name or ARN."""
    return name_or_arn.rsplit("/", 1)[-1]
