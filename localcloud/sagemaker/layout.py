"""The `/opt/ml` of one container, and the command that the container runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from localcloud.images import Image
from localcloud.jobs.host import Host, process_environment
from localcloud.jobs.network import isolated
from localcloud.sagemaker.errors import unsupported
from localcloud.sagemaker.scope import Document

CONTAINER_BASE = "/opt/ml"
PRINCIPAL = "sagemaker.amazonaws.com"
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class ContainerFolder:
    """The folder that plays `/opt/ml`; it is the container's and goes when the container goes."""

    def __init__(self, path: Path) -> None:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        self.path = path

    def at(self, container_path: str) -> Path:
        """Find the place of a path that the container calls `/opt/ml/...`."""
        relative = PurePosixPath(container_path).relative_to(CONTAINER_BASE)
        if ".." in relative.parts:
            raise ValueError(f"{container_path} leaves {CONTAINER_BASE}")
        return self.path / relative

    def make(self, *container_paths: str) -> None:
        """Make folders."""
        for path in container_paths:
            self.at(path).mkdir(parents=True, exist_ok=True)

    def write_document(self, container_path: str, document: object) -> None:
        """Write a JSON file."""
        file = self.at(container_path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document), encoding="utf-8")

    def localised(self, value: str) -> str:
        """Rewrite an argument that names a path in `/opt/ml` to where it really is."""
        if value == CONTAINER_BASE or value.startswith(CONTAINER_BASE + "/"):
            return str(self.at(value))
        return value

    def remove(self) -> None:
        """Throw the folder away."""
        shutil.rmtree(self.path, ignore_errors=True)


def command_line(image: Image, request: Document, default: Sequence[str]) -> list[str]:
    """Choose what runs: the request's entry point and arguments, or the image's own."""
    entrypoint = request.get("ContainerEntrypoint")
    arguments = request.get("ContainerArguments")
    if entrypoint:
        return [*entrypoint, *(arguments or [])]
    return [*image.entrypoint, *(arguments or default)]


def located(command: Sequence[str], image: Image, folder: ContainerFolder) -> list[str]:
    """Point a command at the image's file system and at the container's `/opt/ml`."""
    first, *rest = command
    inside = image.rootfs / first.lstrip("/")
    program = str(inside) if first.startswith("/") and inside.exists() else first
    return [program, *(folder.localised(argument) for argument in rest)]


def container_environment(
    image: Image, role: Mapping[str, str], folder: ContainerFolder, *own: Mapping[str, str]
) -> dict[str, str]:
    """Build the environment of a container."""
    given = {k: folder.localised(v) for layer in own for k, v in layer.items()}
    base = {"SAGEMAKER_BASE_DIR": str(folder.path)}
    return process_environment(image.env, given, role, base)


@dataclass(frozen=True)
class Network:
    """What a container gets of the network: all of it, or with `EnableNetworkIsolation` nothing."""

    isolated: bool

    @classmethod
    def of(cls, request: Document) -> Network:
        """Read what a job's `NetworkConfig`, or a job or model itself, asks for."""
        return cls(bool(request.get("EnableNetworkIsolation", False)))

    def check(self, host: Host) -> None:
        """Refuse isolation where the machine does not allow it."""
        if self.isolated and not host.can_isolate():
            raise unsupported(
                "EnableNetworkIsolation true on this machine, whose kernel lets no process leave "
                "the network: allow unshare --net or user namespaces, or ask for false"
            )

    def command(self, command: Sequence[str], port: int | None = None) -> list[str]:
        """Return the command as it is to be started."""
        return isolated(command, port) if self.isolated else list(command)

    def credentials(self, role: Mapping[str, str]) -> dict[str, str]:
        """Return what the container knows of its role: in isolation nothing, as on AWS."""
        return {k: v for k, v in role.items() if not (self.isolated and k in _CREDENTIALS)}


def role_of(host: Host, role_arn: str) -> dict[str, str]:
    """Assume a role as SageMaker does."""
    return host.role_environment(role_arn, PRINCIPAL, "SageMaker")
