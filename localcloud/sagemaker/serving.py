"""One serving container: its process, its health and the connections to it."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from localcloud.jobs.host import Host, client
from localcloud.jobs.process import JobProcess
from localcloud.sagemaker.job_state import JobLog
from localcloud.sagemaker.layout import (
    ContainerFolder,
    Network,
    container_environment,
    located,
    role_of,
)
from localcloud.sagemaker.scope import Document
from localcloud.sagemaker.transfer import download_file, download_prefix, unpack

LOG = logging.getLogger(__name__)
PING_SECONDS = 2.0
PING_INTERVAL_SECONDS = 0.02
DEFAULT_START_SECONDS = 240.0
STOP_GRACE_SECONDS = 30.0
CONNECTIONS = 64
RESTART_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 5.0
STEADY_SECONDS = 30.0
"""A server that ran so long and ends is restarted at once again."""


class NotHealthyError(Exception):
    """A container did not start to answer; the message is the endpoint's failure reason."""


@dataclass(frozen=True)
class Deployment:
    """What one container serves: for which endpoint and variant, which model."""

    endpoint: str
    variant: Document
    model: Document
    position: int = 0  #: among the model's containers, which a request passes in this order

    @property
    def container(self) -> Document:
        """The container's definition."""
        return self._definitions()[self.position]

    @property
    def label(self) -> str:
        """What names the container in logs and messages; the only one of a model is primary."""
        count = len(self._definitions())
        name = self.container.get("ContainerHostname", f"container-{self.position + 1}")
        return str(name) if count > 1 else "primary"

    def of_each_container(self) -> list[Deployment]:
        """Return the deployment of each of the model's containers."""
        return [replace(self, position=number) for number in range(len(self._definitions()))]

    def _definitions(self) -> Sequence[Document]:
        return self.model.get("Containers") or [self.model["PrimaryContainer"]]


class ServingContainer:
    """A running model server; it is restarted when it dies."""

    def __init__(self, host: Host, deployment: Deployment) -> None:
        self.instance = f"i-{secrets.token_hex(9)[:17]}"
        self.healthy = False
        self.label = deployment.label
        suffix = "" if self.label == "primary" else f"/{self.label}"
        self.log_stream = f"{deployment.variant['VariantName']}/{self.instance}{suffix}"
        self.log_group = f"/aws/sagemaker/Endpoints/{deployment.endpoint}"
        self._host = host
        self._deployment = deployment
        self._ended = threading.Event()
        self._process: JobProcess | None = None
        self._log: JobLog | None = None
        self._folder = ContainerFolder(host.folder("endpoints") / self.instance)
        self._port = _free_port()
        self.connections = urllib3.HTTPConnectionPool(
            "127.0.0.1", self._port, maxsize=CONNECTIONS, retries=False
        )

    def start(self) -> None:
        """Fetch the model, start the server and wait until it is healthy."""
        role = role_of(self._host, self._deployment.model["ExecutionRoleArn"])
        self._fetch(client("s3", role))
        self._log = JobLog(role, self.log_group, self.log_stream)
        self._launch(role, self._log)
        threading.Thread(target=self._watch, args=(role, self._log), daemon=True).start()

    def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """End the server."""
        self.abandon()
        if self._process:
            self._process.stop(grace_seconds)
        if self._log:
            self._log.close()
        self.connections.close()
        self._folder.remove()

    def abandon(self) -> None:
        """Count on the server no more; do not restart it."""
        self._ended.set()
        self.healthy = False

    def _fetch(self, s3: Any) -> None:
        self._folder.make("/opt/ml/model", "/opt/ml/input/config")
        container, target = self._deployment.container, self._folder.at("/opt/ml/model")
        source = container.get("ModelDataSource", {}).get("S3DataSource")
        if source and source["CompressionType"] == "None":
            download_prefix(s3, source["S3Uri"], target)
            return
        uri = source["S3Uri"] if source else container.get("ModelDataUrl")
        if uri:
            archive = self._folder.path / "model.tar.gz"
            download_file(s3, uri, archive)
            unpack(archive, target)
            archive.unlink()

    def _launch(self, role: dict[str, str], log: JobLog) -> None:
        container = self._deployment.container
        image = self._host.resolve_image(container["Image"])
        network = Network.of(self._deployment.model)
        port = {"SAGEMAKER_BIND_TO_PORT": str(self._port)}
        self._process = JobProcess(
            network.command(located([*image.entrypoint, "serve"], image, self._folder), self._port),
            folder=image.workdir,
            environment=container_environment(
                image,
                network.credentials(role),
                self._folder,
                container.get("Environment", {}),
                port,
            ),
            pids=self._host.pids,
            on_output=log.write,
        )
        self._await_health(self._process, log)

    def _await_health(self, process: JobProcess, log: JobLog) -> None:
        limit = self._deployment.variant.get(
            "ContainerStartupHealthCheckTimeoutInSeconds", DEFAULT_START_SECONDS
        )
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and process.running and not self._ended.is_set():
            if self._ping():
                self.healthy = True
                return
            process.wait(PING_INTERVAL_SECONDS)
        ended = "" if process.running else f" It ended with exit code {process.exit_code}."
        process.stop(1.0)
        raise NotHealthyError(
            f"The {self.label} container for production variant "
            f"{self._deployment.variant['VariantName']} did not pass the ping health check. Please "
            f"check CloudWatch logs for this endpoint.{ended} {log.tail()[-500:]}".strip()
        )

    def _ping(self) -> bool:
        try:
            answer = self.connections.request("GET", "/ping", timeout=PING_SECONDS, retries=False)
        except HTTPError:
            return False
        return bool(answer.status == 200)  # noqa: PLR2004 - HTTP OK

    def _watch(self, role: dict[str, str], log: JobLog) -> None:
        """Start the server again whenever it ends; one that keeps ending, after longer pauses."""
        restarts, began = 0, time.monotonic()
        while self._process is not None:
            if not self._process.wait(3600.0):
                continue
            self.healthy = False
            restarts = 1 if time.monotonic() - began > STEADY_SECONDS else restarts + 1
            if self._ended.wait(min(RESTART_DELAY_SECONDS * (restarts - 1), LONGEST_DELAY_SECONDS)):
                return
            log.write(f"The container ended unexpectedly; restart {restarts}.")
            began = time.monotonic()
            try:
                self._launch(role, log)
            except NotHealthyError as error:
                LOG.warning("%s: %s", self.log_stream, error)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
