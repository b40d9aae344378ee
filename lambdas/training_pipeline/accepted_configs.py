"""Which configuration of the config store was accepted last, and what became of each."""

from __future__ import annotations

from typing import NotRequired, Protocol, TypedDict


class AcceptedConfig(TypedDict):
    """The configuration that was accepted last."""

    key: str
    digest: str
    published_digest: str
    """What the stack had published then: a later deployment of another one takes its place."""
    at: str


class ConfigOutcome(TypedDict):
    """What became of one document."""

    key: str
    state: str
    at: str
    digest: NotRequired[str]
    field: NotRequired[str]
    reason: NotRequired[str]


class AcceptedConfigs(Protocol):
    """The configurations that arrived in the config store."""

    def current(self) -> AcceptedConfig | None:
        """Give the one that was accepted last."""
