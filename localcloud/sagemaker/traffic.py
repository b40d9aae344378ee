"""Who answers a request: the fleets of an endpoint, each with its share of the traffic."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from localcloud.sagemaker.fleet import Fleet
from localcloud.sagemaker.instance import Instance
from localcloud.sagemaker.variant import Variant


class UnknownVariantError(Exception):
    """A request names a variant that the endpoint has not."""


@dataclass(frozen=True)
class Place:
    """Where a request is answered; without an instance nobody can."""

    variant: Variant
    instance: Instance | None
    fleet: Fleet


class Routes:
    """Fleets and their shares; what is taken out of it gets no further request."""

    def __init__(self, fleet: Fleet) -> None:
        self._shares: list[tuple[Fleet, float]] = [(fleet, 1.0)]
        self._lock = threading.Lock()
        # Shares spread load; they protect nothing.
        self._random = random.Random()  # noqa: S311

    def share(self, old: Fleet, fresh: Fleet, part: float) -> None:
        """Send a part of the traffic to the fresh fleet and the rest to the old one."""
        shares = [(fresh, part), (old, 1.0 - part)]
        with self._lock:
            self._shares = [(fleet, share) for fleet, share in shares if share > 0]

    def only(self, fleet: Fleet) -> None:
        """Send everything to one fleet."""
        with self._lock:
            self._shares = [(fleet, 1.0)]

    @contextmanager
    def place(self, target: str | None) -> Iterator[Place]:
        """Find who answers, and keep them from ending meanwhile."""
        with self._lock:
            found = self._find(target)
            if found.instance:
                found.instance.enter()
        try:
            yield found
        finally:
            if found.instance:
                found.instance.leave()

    def _find(self, target: str | None) -> Place:
        places = [self._in(fleet, target) for fleet in self._in_turn()]
        known = [place for place in places if place is not None]
        if not known:
            raise UnknownVariantError(target)
        # A fleet that has no healthy instance leaves its requests to the other one.
        return next((place for place in known if place.instance), known[0])

    def _in_turn(self) -> list[Fleet]:
        fleets = [fleet for fleet, _ in self._shares]
        first = self._random.choices(fleets, [share for _, share in self._shares])[0]
        return [first, *[fleet for fleet in fleets if fleet is not first]]

    def _in(self, fleet: Fleet, target: str | None) -> Place | None:
        variant = fleet.choose(target)
        if variant is None:
            return None
        return Place(variant, variant.choose(), fleet)
