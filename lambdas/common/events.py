"""Events of the platform on the event bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from lambdas.common.digests import canonical_json
from lambdas.common.errors import DocumentedError


class EventNotAcceptedError(DocumentedError):
    """The event bus {bus} did not take the event {event_type}: {code}: {message}."""


class Events(Protocol):
    """Where events are announced, at least once."""

    def announce(self, event_type: str, detail: Mapping[str, Any]) -> None:
        """Publish an event; raises ``EventNotAcceptedError``."""


class BusEvents:
    """Events of one source on an EventBridge bus."""

    def __init__(self, client: Any, bus: str, source: str) -> None:
        self._client = client
        self._bus = bus
        self._source = source

    def announce(self, event_type: str, detail: Mapping[str, Any]) -> None:
        """Publish an event; raises ``EventNotAcceptedError``."""
        answer = self._client.put_events(
            Entries=[
                {
                    "Source": self._source,
                    "DetailType": event_type,
                    "Detail": canonical_json(detail),
                    "EventBusName": self._bus,
                }
            ]
        )
        if answer["FailedEntryCount"]:
            entry = answer["Entries"][0]
            raise EventNotAcceptedError(
                bus=self._bus,
                event_type=event_type,
                code=entry.get("ErrorCode"),
                message=entry.get("ErrorMessage"),
            )
