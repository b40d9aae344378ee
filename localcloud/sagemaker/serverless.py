"""Serverless variants: containers that start when a request comes, and go when idle."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from localcloud.registry import ServiceError
from localcloud.sagemaker.instance import Instance
from localcloud.sagemaker.serving import NotHealthyError, ServingContainer
from localcloud.sagemaker.variant import Variant

IDLE_SECONDS = float(os.environ.get("LOCALCLOUD_SERVERLESS_IDLE_SECONDS", "300"))
"""How long a container waits for the next request; AWS does not say how long its own do."""


class ServerlessInstance(Instance):
    """Answers one request at a time; its containers start with the first."""

    def __init__(self, make: Callable[[], Instance], on_free: Callable[[], None]) -> None:
        # Not Instance's own: what it stands for is made when a request comes.
        self.busy = False
        self.used = time.monotonic()
        self._make = make
        self._on_free = on_free
        self._whole: Instance | None = None
        self._starting = threading.Lock()

    @property
    def healthy(self) -> bool:
        """Take requests before it runs: the first one starts it."""
        return True

    @property
    def containers(self) -> list[ServingContainer]:  # type: ignore[override] # they start here
        """The containers, started if they are not: the request that needs them waits."""
        with self._starting:
            if self._whole is None:
                whole = self._make()
                try:
                    whole.start()
                except NotHealthyError as error:
                    whole.stop()
                    raise ServiceError("ModelError", str(error), 424) from error
                self._whole = whole
        return self._whole.containers

    def start(self) -> None:
        """Start ahead of the first request, as the creation of an endpoint does."""
        whole = self._make()
        whole.start()
        self._whole = whole

    def enter(self) -> None:
        """Take the request."""
        self.busy = True

    def leave(self) -> None:
        """Be free for the next."""
        self.used = time.monotonic()
        self.busy = False
        self._on_free()

    def drain(self) -> None:
        """Wait until the request under way is answered, then stop."""
        whole, self._whole = self._whole, None
        if whole:
            whole.drain()

    def stop(self) -> None:
        """End the containers."""
        whole, self._whole = self._whole, None
        if whole:
            whole.stop()

    def abandon(self) -> None:
        """Restart no container from now on."""
        if self._whole:
            self._whole.abandon()


class ServerlessVariant(Variant):
    """As many containers as there are requests, up to the configured concurrency."""

    def __init__(
        self, name: str, weight: float, concurrency: int, make: Callable[[], Instance]
    ) -> None:
        super().__init__(name, weight, make)
        self._warm: list[ServerlessInstance] = []
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._watched = False

    def choose(self) -> ServerlessInstance:
        """Choose a free container, or make room for one more."""
        with self._lock:
            free = next((each for each in self._warm if not each.busy), None)
            if free is None and len(self._warm) >= self._concurrency:
                raise ServiceError(
                    "ThrottlingException",
                    f"Rate exceeded: variant {self.name} answers {self._concurrency} requests at "
                    "once (MaxConcurrency).",
                )
            if free is None:
                free = ServerlessInstance(self._make, self._watch)
                self._keep([*self._warm, free])
            free.busy = True  # before the reaper looks
            return free

    def grow(self, count: int) -> None:  # noqa: ARG002 - requests say how many
        """Start one container, which shows whether the model comes up at all."""
        first = ServerlessInstance(self._make, self._watch)
        first.start()
        self._keep([first])

    def resize(self, count: int) -> None:
        """Leave the number to the requests."""

    def _keep(self, warm: list[ServerlessInstance]) -> None:
        self._warm = warm
        self.instances = list(warm)

    def _watch(self) -> None:
        """Look for idle containers when the one that is free now could be one."""
        with self._lock:
            if self._watched:
                return
            self._watched = True
        timer = threading.Timer(IDLE_SECONDS, self._reap)
        timer.daemon = True
        timer.start()

    def _reap(self) -> None:
        limit = time.monotonic() - IDLE_SECONDS
        with self._lock:
            idle = [each for each in self._warm if not each.busy and each.used <= limit]
            self._keep([each for each in self._warm if each not in idle])
            self._watched = False
        for each in idle:
            each.stop()
        if self._warm:
            self._watch()
