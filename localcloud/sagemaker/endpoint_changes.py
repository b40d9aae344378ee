"""What happens to endpoints in the background: they come up, change, are scaled and go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from localcloud import alarms
from localcloud.jobs import completions
from localcloud.jobs.connections import await_gateway
from localcloud.jobs.host import Host
from localcloud.registry import ServiceError
from localcloud.sagemaker.deployment_policy import Policy
from localcloud.sagemaker.endpoint_summaries import COUNT, WEIGHT, counts_of, pending
from localcloud.sagemaker.fleet import Fleet
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.serving import NotHealthyError
from localcloud.sagemaker.store import Store
from localcloud.sagemaker.tags import Tags
from localcloud.sagemaker.traffic import Routes
from localcloud.sagemaker.transfer import TransferError
from localcloud.sagemaker.update import RolledBackError, Update

LOG = logging.getLogger(__name__)
KIND = "endpoint"
EXPECTED = (NotHealthyError, TransferError, ServiceError, RolledBackError)
Key = tuple[Scope, str]


class EndpointChanges:
    """Does what the operations have promised, and writes down how it went."""

    def __init__(self, host: Host, store: Store, tags: Tags) -> None:
        self._host = host
        self._store = store
        self._tags = tags
        self._serving: dict[Key, tuple[Fleet, Routes]] = {}
        self._all: set[Fleet] = set()
        self._ended = threading.Event()

    def routes(self, scope: Scope, name: str) -> Routes | None:
        """Find who answers for an endpoint."""
        found = self._serving.get((scope, name))
        return found[1] if found else None

    def bring_up(self, scope: Scope, name: str, *, after_gateway: bool = False) -> None:
        """Start what an endpoint's document says."""
        self._background(lambda: self._bring_up(scope, name, after_gateway=after_gateway))

    def switch(self, scope: Scope, name: str, target: Document, policy: Policy) -> None:
        """Move an endpoint to the config, plan and capacity of a target."""
        self._background(lambda: self._switch(scope, name, target, policy))

    def rescale(self, scope: Scope, name: str, capacity: Document) -> None:
        """Give variants other weights and numbers of instances."""
        self._background(lambda: self._rescale(scope, name, capacity))

    def take_down(self, scope: Scope, name: str) -> None:
        """Let an endpoint go; its name is free when it is gone."""
        found = self._serving.pop((scope, name), None)
        self._background(lambda: self._take_down(scope, name, found[0] if found else None))

    def abandon(self) -> None:
        """Restart no container from now on; the endpoints stay as they are."""
        self._ended.set()
        for fleet in list(self._all):
            fleet.abandon()

    def _bring_up(self, scope: Scope, name: str, *, after_gateway: bool) -> None:
        if after_gateway:
            await_gateway()
        endpoint = self._store.find(scope, KIND, name) or {}
        plan, capacity = endpoint["Plan"], endpoint.get("Capacity", {})
        fleet = self._fleet(name, plan, endpoint["EndpointConfigName"], capacity)
        reason = self._reason(name, lambda: fleet.start(counts_of(plan, capacity)))
        if reason:
            self._set(scope, name, EndpointStatus="Failed", FailureReason=reason)
        else:
            self._serving[scope, name] = fleet, Routes(fleet)
            self._set(scope, name, EndpointStatus="InService", PendingDeploymentSummary=None)
        completions.announce(scope.arn(KIND, name))

    def _switch(self, scope: Scope, name: str, target: Document, policy: Policy) -> None:
        """Start the new fleet beside the old one; the old one goes when the new one has baked."""
        plan, capacity, config = (target[k] for k in ("Plan", "Capacity", "EndpointConfigName"))
        old, routes = self._serving[scope, name]
        fresh, started = self._fleet(name, plan, config, capacity), now()

        def tell(stage: str) -> None:
            if stage == "RollingBack":
                self._set(scope, name, EndpointStatus=stage)
                return
            summary = pending(config, plan, stage, started)
            self._set(scope, name, PendingDeploymentSummary=summary)

        update = Update(
            policy,
            routes,
            old,
            fresh,
            counts_of(plan, capacity),
            alarms.state_of,
            tell,
            self._ended,
        )
        reason = self._reason(name, update.run)
        outcome: dict[str, Any] = {"FailureReason": reason} if reason else target
        self._all.discard(fresh if reason else old)
        if not reason:
            self._serving[scope, name] = fresh, routes
        if self._ended.is_set():
            return  # The next start rolls back what was stored as changing.
        self._set(scope, name, **outcome, EndpointStatus="InService", PendingDeploymentSummary=None)

    def _rescale(self, scope: Scope, name: str, capacity: Document) -> None:
        fleet, _ = self._serving[scope, name]

        def resize() -> None:
            for variant in fleet.variants:
                wanted = capacity.get(variant.name, {})
                variant.weight = float(wanted.get(WEIGHT, variant.weight))
                variant.resize(int(wanted.get(COUNT, len(variant.instances))))

        reason = self._reason(name, resize)
        known = (self._store.find(scope, KIND, name) or {}).get("Capacity", {})
        changed = {} if reason else {"Capacity": _merged(known, capacity)}
        failure = {"FailureReason": reason or None}
        self._set(scope, name, EndpointStatus="InService", **failure, **changed)

    def _take_down(self, scope: Scope, name: str, fleet: Fleet | None) -> None:
        if fleet:
            fleet.drain()
            self._all.discard(fleet)
        self._tags.forget(scope, scope.arn(KIND, name))
        self._store.remove(scope, KIND, name)

    def _fleet(self, name: str, plan: Document, config: str, capacity: Document) -> Fleet:
        fleet = Fleet(self._host, name, plan, config)
        for variant in fleet.variants:
            given = capacity.get(variant.name, {})
            variant.weight = float(given.get(WEIGHT, variant.weight))
        self._all.add(fleet)
        return fleet

    def _reason(self, name: str, work: Callable[[], None]) -> str:
        """Do something; say why it failed, or nothing."""
        try:
            work()
        except EXPECTED as error:
            return str(error)[:1024]
        except Exception as error:
            LOG.exception("endpoint %s", name)
            return f"InternalServerError: {error}"
        return ""

    def _set(self, scope: Scope, name: str, **fields: object) -> None:
        self._store.change(scope, KIND, name, **fields, LastModifiedTime=now())

    def _background(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="endpoint-change", daemon=True).start()


def _merged(known: Mapping[str, Document], changes: Mapping[str, Document]) -> Document:
    return {name: {**known.get(name, {}), **changes.get(name, {})} for name in {*known, *changes}}
