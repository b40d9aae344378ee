"""What a job needs from the machine it runs on, handed in so that tests can stand in for it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from localcloud.images import Image
from localcloud.jobs.network import can_isolate
from localcloud.jobs.pids import PidFolder

INHERITED = ("HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "JAVA_HOME")
CLIENT_CONFIG = Config(max_pool_connections=32, retries={"mode": "standard", "max_attempts": 4})

_SESSION_LOCK = threading.Lock()
_SESSION = boto3.Session()


@dataclass(frozen=True)
class Host:
    """The machine: where state lives, how a role is assumed, what an image URI names."""

    state_folder: Path
    role_environment: Callable[[str, str, str], dict[str, str]]
    """Role ARN, service principal, session name -> AWS settings of a session of that role."""
    resolve_image: Callable[[str], Image]
    can_isolate: Callable[[], bool] = can_isolate
    """Whether processes can be cut off from the network."""
    pids: PidFolder = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pids", PidFolder(self.state_folder / "pids"))

    def folder(self, *names: str) -> Path:
        """Make a folder below the state folder."""
        path = self.state_folder.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path


def client(service: str, environment: Mapping[str, str]) -> Any:
    """Make a boto3 client that acts with the credentials of a job's environment."""
    with _SESSION_LOCK:
        return _SESSION.client(
            service,
            region_name=environment["AWS_DEFAULT_REGION"],
            endpoint_url=environment.get("AWS_ENDPOINT_URL"),
            verify=environment.get("AWS_CA_BUNDLE"),
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environment["AWS_SESSION_TOKEN"],
            config=CLIENT_CONFIG,
        )


def process_environment(*layers: Mapping[str, str]) -> dict[str, str]:
    """Build a job's environment: nothing of the daemon's own but what every program needs.

    The daemon's credentials never leak into a job: only the names in INHERITED are taken over.
    """
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    own_path = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    # An image's own programs come first, this machine's after them.
    path = [layer["PATH"] for layer in layers if "PATH" in layer] + own_path
    merged = {**inherited, "PYTHONUNBUFFERED": "1"}
    for layer in layers:
        merged |= layer
    return {**merged, "PATH": os.pathsep.join(path)}
