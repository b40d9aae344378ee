"""Keeps what waits for the gateway off the thread that the gateway answers on."""

import asyncio
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def never_on_the_loop(work: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Fail at once where a call to the gateway would wait for itself for ever."""

    @functools.wraps(work)
    def guarded(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # this thread runs no loop, which is what we want
            return work(*arguments, **options)
        raise RuntimeError(
            f"{work.__qualname__} calls the gateway and runs on the gateway's own thread: "
            "it would wait for itself; run it on a worker thread"
        )

    return guarded
