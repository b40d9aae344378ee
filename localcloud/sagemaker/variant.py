"""One production variant: its instances, used in turn."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from localcloud.sagemaker.instance import Instance


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
        at_once(lambda each: each.drain(), leaving)

    def resize(self, count: int) -> None:
        """Have so many instances."""
        missing = count - len(self.instances)
        self.grow(max(missing, 0))
        self.shrink(max(-missing, 0))


def start_all(instances: list[Instance]) -> None:
    """Start instances side by side; the first failure stops them all."""
    try:
        at_once(lambda each: each.start(), instances)
    except Exception:
        at_once(lambda each: each.stop(), instances)
        raise


def at_once(do: Callable[[Instance], None], instances: Iterable[Instance]) -> None:
    """Do something with all instances side by side."""
    chosen = list(instances)
    if chosen:
        with ThreadPoolExecutor(len(chosen)) as pool:
            list(pool.map(do, chosen))
