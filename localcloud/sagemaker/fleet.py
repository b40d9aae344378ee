"""All instances of one endpoint configuration, and the choice of the one that answers."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from localcloud.jobs.host import Host
from localcloud.sagemaker.instance import Instance
from localcloud.sagemaker.scope import Document
from localcloud.sagemaker.serving import Deployment

Capacity = Mapping[str, Document]
"""By variant: the instances and the weight that it was given since its configuration was made."""


class Variant:
    """The instances of one production variant, used in turn."""

    def __init__(self, name: str, weight: float, make: Callable[[], Instance]) -> None:
        self.name = name
        self.weight = weight
        self.instances: list[Instance] = []
        self._make = make
        self._turn = itertools.count()

    def choose(self) -> Instance | None:
        """Choose the next healthy instance, if there is one."""
        healthy = [each for each in self.instances if each.healthy]
        return healthy[next(self._turn) % len(healthy)] if healthy else None

    def grow(self, count: int) -> None:
        """Start so many instances more; each gets requests once all of them are healthy."""
        fresh = [self._make() for _ in range(count)]
        start_all(fresh)
        self.instances = [*self.instances, *fresh]

    def shrink(self, count: int) -> None:
        """Give up the newest instances; they end when their requests are answered."""
        kept = len(self.instances) - count
        self.instances, leaving = self.instances[:kept], self.instances[kept:]
        _at_once(lambda each: each.drain(), leaving)

    def resize(self, count: int) -> None:
        """Have so many instances."""
        missing = count - len(self.instances)
        self.grow(max(missing, 0))
        self.shrink(max(-missing, 0))


class Fleet:
    """Started as a whole or not at all; drained before it is stopped."""

    def __init__(self, host: Host, endpoint: str, plan: Document, config_name: str) -> None:
        self.config_name = config_name
        self.variants = [
            _variant(host, endpoint, each, plan["Models"]) for each in plan["Variants"]
        ]
        # Weights spread load; they protect nothing.
        self._random = random.Random()  # noqa: S311

    def start(self, counts: Mapping[str, int]) -> None:
        """Start all instances side by side; the first failure stops them all."""
        try:
            with ThreadPoolExecutor(len(self.variants)) as pool:
                growing = [pool.submit(v.grow, counts[v.name]) for v in self.variants]
                for started in growing:
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

    def drain(self) -> None:
        """Wait until the requests under way are answered, then stop."""
        _at_once(lambda each: each.drain(), self._instances())

    def abandon(self) -> None:
        """Restart no instance from now on."""
        for each in self._instances():
            each.abandon()

    def stop(self) -> None:
        """Stop all instances."""
        _at_once(lambda each: each.stop(), self._instances())

    def _instances(self) -> Iterator[Instance]:
        return itertools.chain.from_iterable(v.instances for v in self.variants)


def start_all(instances: list[Instance]) -> None:
    """Start instances side by side; the first failure stops them all."""
    try:
        _at_once(lambda each: each.start(), instances)
    except Exception:
        _at_once(lambda each: each.stop(), instances)
        raise


def _at_once(do: Callable[[Instance], None], instances: Iterable[Instance]) -> None:
    chosen = list(instances)
    if chosen:
        with ThreadPoolExecutor(len(chosen)) as pool:
            list(pool.map(do, chosen))


def _variant(host: Host, endpoint: str, variant: Document, models: Document) -> Variant:
    deployment = Deployment(endpoint, variant, models[variant["ModelName"]])
    return Variant(
        variant["VariantName"],
        float(variant.get("InitialVariantWeight", 1.0)),
        lambda: Instance(host, deployment),
    )
