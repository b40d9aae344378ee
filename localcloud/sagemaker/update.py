"""One update of an endpoint: two fleets side by side until the new one has proved itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event

from localcloud.sagemaker.deployment_policy import Policy
from localcloud.sagemaker.fleet import Fleet
from localcloud.sagemaker.traffic import Routes

LOOK_SECONDS = 0.2
Counts = Mapping[str, int]


class RolledBackError(Exception):
    """The new fleet did not prove itself; the message is the endpoint's failure reason."""


@dataclass(frozen=True)
class Update:
    """Moves traffic from an old fleet to a fresh one, or back; a fleet that leaves is drained."""

    policy: Policy
    routes: Routes
    old: Fleet
    fresh: Fleet
    counts: Counts  #: instances of the fresh fleet, by variant
    alarm_state: Callable[[str], str | None]
    tell: Callable[[str], None]  #: takes Creating, ActivatingTraffic, Baking, Updating, RollingBack
    ended: Event  #: set when the embedded AWS stops

    def run(self) -> None:
        """Replace the old fleet; raises ``RolledBackError`` once the old one has all traffic."""
        deadline = time.monotonic() + self.policy.limit_seconds
        if self.policy.kind == "ROLLING":
            self._roll(deadline)
        else:
            self._shift(deadline)

    def _shift(self, deadline: float) -> None:
        self.tell("Creating")
        self.fresh.start(self.counts)
        for share in self.policy.shares(sum(self.counts.values())):
            self.tell("ActivatingTraffic")
            self.routes.share(self.old, self.fresh, share)
            fault = self._bake(deadline)
            if fault:
                self._return(fault)
        # The old fleet stays for a while: what is known to work is not thrown away in a hurry.
        self.tell("Updating")
        self.ended.wait(self.policy.termination_seconds)
        self.old.drain()

    def _roll(self, deadline: float) -> None:
        """Replace batch by batch, so that few instances run more than before."""
        done = dict.fromkeys(self.counts, 0)
        replaced = {variant.name: len(variant.instances) for variant in self.old.variants}
        while done != dict(self.counts):
            self.tell("Updating")
            self._next_batch(done)
            self.routes.share(self.old, self.fresh, sum(done.values()) / sum(self.counts.values()))
            for variant in self.old.variants:
                left = replaced[variant.name] - done.get(variant.name, replaced[variant.name])
                variant.resize(max(left, 0))
            fault = self._bake(deadline)
            if fault:
                self.tell("RollingBack")
                for variant in self.old.variants:
                    variant.resize(replaced[variant.name])
                self._return(fault)
        self.routes.only(self.fresh)
        self.old.drain()

    def _next_batch(self, done: dict[str, int]) -> None:
        for variant in self.fresh.variants:
            wanted = self.counts[variant.name]
            batch = min(self.policy.size.count(wanted), wanted - done[variant.name])
            variant.grow(batch)
            done[variant.name] += batch

    def _return(self, fault: str) -> None:
        self.tell("RollingBack")
        self.routes.only(self.old)
        self.fresh.drain()
        raise RolledBackError(fault)

    def _bake(self, deadline: float) -> str:
        """Watch the alarms for the step's time; say what is wrong, or nothing."""
        self.tell("Baking")
        until = time.monotonic() + self.policy.wait_seconds
        while True:
            fault = self._fault(deadline)
            if fault or time.monotonic() >= until:
                return fault
            self.ended.wait(LOOK_SECONDS)

    def _fault(self, deadline: float) -> str:
        tripped = [name for name in self.policy.alarms if self.alarm_state(name) == "ALARM"]
        if tripped:
            return f"One or more alarms went into ALARM state during the deployment: {tripped}"
        if time.monotonic() > deadline:
            return f"The deployment took longer than {self.policy.limit_seconds:.0f} seconds."
        if self.ended.is_set():
            return "The embedded AWS was stopped during the deployment."
        return ""
