"""One instance of a production variant: its model's containers, which requests pass in turn."""

from __future__ import annotations

import threading

from localcloud.jobs.host import Host
from localcloud.sagemaker.serving import Deployment, ServingContainer

DRAIN_SECONDS = 60.0


class Instance:
    """Healthy only as a whole; ended only when nobody waits for its answer."""

    def __init__(self, host: Host, deployment: Deployment) -> None:
        self.containers = [ServingContainer(host, each) for each in deployment.of_each_container()]
        self._busy = 0
        self._idle = threading.Condition()

    @property
    def healthy(self) -> bool:
        """Tell whether every container answers."""
        return all(each.healthy for each in self.containers)

    def start(self) -> None:
        """Start the containers; the last first, so that each finds the next."""
        for each in reversed(self.containers):
            each.start()

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

    def stop(self) -> None:
        """End the containers."""
        for each in self.containers:
            each.stop()

    def abandon(self) -> None:
        """Restart no container from now on."""
        for each in self.containers:
            each.abandon()
