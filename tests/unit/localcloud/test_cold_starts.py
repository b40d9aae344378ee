"""Function instances start a few at a time; a call takes an instance that has become free."""

import threading
from dataclasses import dataclass, field

import pytest

from localcloud.cold_starts import ColdStarts


@dataclass
class Instance:
    in_use: bool = True


@dataclass
class Pool:
    instances: list = field(default_factory=list)

    def acquire(self):
        for each in self.instances:
            if not each.in_use:
                each.in_use = True
                return each, "reused"
        self.instances.append(Instance())
        return self.instances[-1], "spawn"


@pytest.fixture
def pool():
    return Pool()


@pytest.fixture
def starts():
    return ColdStarts(2, lambda instance: not instance.in_use)


def lease(starts, pool):
    return starts.lease(lambda: pool.instances, pool.acquire)


def test_as_many_start_at_once_as_there_are_places(starts, pool):
    assert [lease(starts, pool)[1] for _ in range(2)] == ["spawn", "spawn"]


def test_a_call_over_the_limit_takes_the_instance_that_becomes_free(starts, pool):
    first, _ = lease(starts, pool)
    lease(starts, pool)
    got = []
    waiting = threading.Thread(target=lambda: got.append(lease(starts, pool)))
    waiting.start()

    first.in_use = False
    starts.settled(first)

    waiting.join(10)
    assert got == [(first, "reused")]
    assert len(pool.instances) == 2


def test_a_started_instance_makes_place_for_the_next(starts, pool):
    first, _ = lease(starts, pool)
    lease(starts, pool)

    starts.settled(first)

    assert lease(starts, pool)[1] == "spawn"
