"""One instance of a production variant: its model's containers, which requests pass in turn."""

from __future__ import annotations

from localcloud.jobs.host import Host
from localcloud.sagemaker.serving import Deployment, ServingContainer


class Instance:
    """Healthy only as a whole."""

    def __init__(self, host: Host, deployment: Deployment) -> None:
        self.containers = [ServingContainer(host, each) for each in deployment.of_each_container()]

    @property
    def healthy(self) -> bool:
        """Tell whether every container answers."""
        return all(each.healthy for each in self.containers)

    def start(self) -> None:
        """Start the containers; the last first, so that each finds the next."""
        for each in reversed(self.containers):
            each.start()

    def stop(self) -> None:
        """End the containers."""
        for each in self.containers:
            each.stop()

    def abandon(self) -> None:
        """Restart no container from now on."""
        for each in self.containers:
            each.abandon()
