"""Function instances start a few at a time; who waits takes an instance that has become free.

ministack starts an instance for every call that finds none idle. A burst of calls then starts so
many interpreters that all of them are slow, though the first ones could have answered every call.
AWS has the machines for that, a laptop has not.
"""

import os
import threading
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

LONGEST_WAIT_SECONDS = 60.0
Worker = Any
Lease = tuple[Worker | None, str]


class ColdStarts:
    """Admits calls that find an idle instance, or a free place to start one."""

    def __init__(self, at_once: int, is_idle: Callable[[Worker], bool]) -> None:
        self._at_once = at_once
        self._is_idle = is_idle
        self._starting: set[int] = set()
        self._changed = threading.Condition()

    def lease(self, pool: Callable[[], list[Worker]], acquire: Callable[[], Lease]) -> Lease:
        """Lease an instance once one is idle or may be started; the longest wait starts one."""
        with self._changed:
            self._changed.wait_for(lambda: self._admits(pool()), LONGEST_WAIT_SECONDS)
            worker, how = acquire()
            if how == "spawn":
                self._starting.add(id(worker))
            return worker, how

    def settled(self, worker: Worker) -> None:
        """Say that an instance has started, has failed to, or has become free."""
        with self._changed:
            self._starting.discard(id(worker))
            self._changed.notify_all()

    def _admits(self, pool: list[Worker]) -> bool:
        return len(self._starting) < self._at_once or any(map(self._is_idle, pool))


def install() -> None:
    """Put the admission before ministack's pool of instances."""
    starts = ColdStarts(os.cpu_count() or 1, lambda worker: not worker.in_use)
    acquire, release = lambda_runtime.acquire_worker, lambda_runtime.release_worker

    def acquire_worker(
        name: str, config: Any, code: bytes, qualifier: str = "$LATEST", **options: Any
    ) -> Lease:
        key = lambda_runtime._worker_key(name, config, qualifier)  # noqa: SLF001
        return starts.lease(
            lambda: lambda_runtime._workers.get(key, []),  # noqa: SLF001
            lambda: acquire(name, config, code, qualifier, **options),
        )

    def release_worker(worker: Worker) -> None:
        release(worker)
        starts.settled(worker)

    lambda_svc.acquire_worker = acquire_worker
    lambda_svc.release_worker = release_worker
    for kind in (lambda_runtime.Worker, lambda_runtime.ProvidedWorker):
        kind._spawn = _announced(kind._spawn, starts)  # noqa: SLF001


def _announced(spawn: Callable[..., None], starts: ColdStarts) -> Callable[..., None]:
    def spawn_and_announce(worker: Worker, *arguments: Any, **options: Any) -> None:
        try:
            spawn(worker, *arguments, **options)
        finally:
            starts.settled(worker)

    return spawn_and_announce
