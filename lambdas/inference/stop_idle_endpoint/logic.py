"""Decides whether an endpoint is idle; the ledger hears of it before it goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from lambdas.common.ledger import Ledger
from lambdas.inference.contract import StopEndpointRequest, StopEndpointResponse

LEDGER_EVENT = "endpoint_stopped"
SETTLED = "InService"


class RunningEndpoint(NamedTuple):
    """An endpoint with what tells whether it is idle."""

    status: str
    config_name: str
    changed_at: datetime
    variants: tuple[str, ...]


class Hosting(Protocol):
    """The endpoint and what CloudWatch knows of its requests."""

    def endpoint(self, name: str) -> RunningEndpoint | None:
        """Look at an endpoint."""

    def requests(self, name: str, variants: tuple[str, ...], since: datetime) -> float:
        """Count the requests since a moment."""

    def delete(self, name: str) -> None:
        """Begin to delete an endpoint; its config and its model stay."""


def stop_idle_endpoint(
    request: StopEndpointRequest,
    name: str,
    idle: timedelta,
    now: datetime,
    hosting: Hosting,
    ledger: Ledger,
) -> StopEndpointResponse:
    """Stop an endpoint that has had no request for so long, or one that an operator stops."""
    endpoint = hosting.endpoint(name)
    if endpoint is None:
        return _kept("there is no endpoint")
    if endpoint.status != SETTLED:
        return _kept(f"it is {endpoint.status}")
    if request["when"] == "idle":
        why = _busy(name, endpoint, idle, now, hosting)
        if why:
            return _kept(why)
    ledger.append(
        {
            "event_type": LEDGER_EVENT,
            "actor": request["requested_by"],
            "reason": request["reason"],
            "subject": name,
            "evidence": {"endpoint_config": endpoint.config_name},
            "token": f"{LEDGER_EVENT}:{name}:{endpoint.changed_at.isoformat()}",
        }
    )
    hosting.delete(name)
    return {"stopped": True, "why": request["reason"]}


def _busy(
    name: str, endpoint: RunningEndpoint, idle: timedelta, now: datetime, hosting: Hosting
) -> str:
    """Say why an endpoint is not idle; nothing when it is."""
    since = now - idle
    if endpoint.changed_at > since:
        return f"it changed at {endpoint.changed_at.isoformat()}"
    asked = hosting.requests(name, endpoint.variants, since)
    return f"it was asked {asked:g} times since {since.isoformat()}" if asked else ""


def _kept(why: str) -> StopEndpointResponse:
    return {"stopped": False, "why": why}
