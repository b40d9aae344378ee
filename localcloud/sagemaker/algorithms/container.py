"""The `/opt/ml` of a container, seen from inside: what it was asked to do and where."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENT_ERROR = 1


class UserError(Exception):
    """The request cannot be honoured as it stands; the message is the job's failure reason."""

    def __init__(self, message: str, exit_code: int = CLIENT_ERROR) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Channel:
    """One input channel: its folder, and the content type that the request gave it."""

    name: str
    folder: Path
    content_type: str

    def files(self) -> list[Path]:
        """List the channel's files in a stable order; there is at least one."""
        found = sorted(
            file
            for file in self.folder.rglob("*")
            if file.is_file() and not file.name.startswith((".", "_"))
        )
        if not found:
            raise UserError(f"Channel {self.name} holds no files")
        return found


class Container:
    """What a container knows of its job."""

    def __init__(self, base: Path, environment: Mapping[str, str]) -> None:
        self.base = base
        self.environment = environment
        self.model_folder = base / "model"
        self.output_folder = base / "output" / "data"

    @classmethod
    def of_environment(cls) -> Container:
        """Find `/opt/ml` where the environment says it is."""
        return cls(Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")), os.environ)

    def hyperparameters(self) -> dict[str, str]:
        """Read the hyperparameters, which are text."""
        return dict(self.document("hyperparameters"))

    def document(self, name: str) -> dict[str, Any]:
        """Read one of the configuration files; an absent one is empty."""
        file = self.base / "input" / "config" / f"{name}.json"
        return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}

    def channels(self) -> dict[str, Channel]:
        """List the input channels by name."""
        return {
            name: Channel(name, self.base / "input" / "data" / name, channel["ContentType"])
            for name, channel in self.document("inputdataconfig").items()
        }

    @property
    def checkpoint_folder(self) -> Path | None:
        """Return where checkpoints go; none were asked for without a CheckpointConfig."""
        path = self.document("checkpointconfig").get("LocalPath")
        return Path(path) if path else None

    @property
    def port(self) -> int:
        """Return the port to serve on."""
        return int(self.environment.get("SAGEMAKER_BIND_TO_PORT", "8080"))

    def write_failure(self, reason: str) -> None:
        """Write the reason that becomes the job's FailureReason."""
        file = self.base / "output" / "failure"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(reason, encoding="utf-8")


def say(line: str) -> None:
    """Print one line of the container's log, as it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def log(line: str) -> None:
    """Print one line of the container's log, with the prefix of AWS's own algorithms."""
    moment = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
    say(f"[{moment} INFO {os.getpid()}] {line}")
