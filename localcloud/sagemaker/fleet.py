"""All containers of one endpoint configuration, and the choice of the one that answers."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from localcloud.jobs.host import Host
from localcloud.sagemaker.instance import Instance
from localcloud.sagemaker.scope import Document
from localcloud.sagemaker.serving import Deployment

DRAIN_SECONDS = 60.0


class Variant:
    """The instances of one production variant, used in turn."""

    def __init__(self, name: str, weight: float, instances: list[Instance]) -> None:
        self.name = name
        self.weight = weight
        self.instances = instances
        self._turn = itertools.count()

    def choose(self) -> Instance | None:
        """Choose the next healthy instance, if there is one."""
        healthy = [each for each in self.instances if each.healthy]
        return healthy[next(self._turn) % len(healthy)] if healthy else None


class Fleet:
    """Started as a whole or not at all; drained before it is stopped."""

    def __init__(self, host: Host, endpoint: str, plan: Document) -> None:
        self.variants = [_variant(host, endpoint, v, plan["Models"]) for v in plan["Variants"]]
        # Weights spread load; they protect nothing.
        self._random = random.Random()  # noqa: S311
        self._busy = 0
        self._idle = threading.Condition()

    def start(self) -> None:
        """Start all instances side by side; the first failure stops them all."""
        instances = list(self._instances())
        try:
            with ThreadPoolExecutor(len(instances)) as pool:
                for started in [pool.submit(c.start) for c in instances]:
                    started.result()
        except Exception:
            self.stop()
            raise

    def choose(self, target: str | None) -> Variant | None:
        """Choose the variant that was asked for, or one by weight."""
        if target:
            return next((v for v in self.variants if v.name == target), None)
        weights = [v.weight for v in self.variants]
        if not any(weights):
            return self.variants[0]
        return self._random.choices(self.variants, weights)[0]

    def enter(self) -> None:
        """Count a request in."""
        with self._idle:
            self._busy += 1

    def leave(self) -> None:
        """Count a request out."""
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()

    def drain(self) -> None:
        """Wait until the requests under way are answered, then stop."""
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, DRAIN_SECONDS)
        self.stop()

    def abandon(self) -> None:
        """Restart no instance from now on."""
        for each in self._instances():
            each.abandon()

    def stop(self) -> None:
        """Stop all instances."""
        instances = list(self._instances())
        with ThreadPoolExecutor(len(instances)) as pool:
            list(pool.map(lambda c: c.stop(), instances))

    def _instances(self) -> Iterator[Instance]:
        return itertools.chain.from_iterable(v.instances for v in self.variants)


def _variant(host: Host, endpoint: str, variant: Document, models: Document) -> Variant:
    deployment = Deployment(endpoint, variant, models[variant["ModelName"]])
    count = 1 if "ServerlessConfig" in variant else int(variant.get("InitialInstanceCount", 1))
    return Variant(
        variant["VariantName"],
        float(variant.get("InitialVariantWeight", 1.0)),
        [Instance(host, deployment) for _ in range(count)],
    )
