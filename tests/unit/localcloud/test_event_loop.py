"""A resource handler that would wait for its own thread fails instead of hanging."""

import asyncio

import pytest

from localcloud.event_loop import never_on_the_loop


@never_on_the_loop
def doubled(number):
    return 2 * number


def test_work_runs_where_there_is_no_loop():
    assert doubled(2) == 4


def test_work_runs_on_a_worker_thread_of_a_loop():
    async def main():
        return await asyncio.to_thread(doubled, 2)

    assert asyncio.run(main()) == 4


def test_work_on_the_loops_own_thread_is_refused():
    async def main():
        return doubled(2)

    with pytest.raises(RuntimeError, match=r"doubled calls the gateway .* run it on a worker"):
        asyncio.run(main())
