"""The folders of a training or processing container, and how it reports failure."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

BASE_VARIABLE = "SAGEMAKER_BASE_DIR"
DEFAULT_BASE = "/opt/ml"
MAX_REASON_CHARACTERS = 1024


class HyperparameterError(ValueError):
    """A hyper-parameter is missing or wrong."""


@dataclass(frozen=True)
class JobFolders:
    """The layout under ``/opt/ml``."""

    base: Path

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> JobFolders:
        """Find the base: ``SAGEMAKER_BASE_DIR`` outside of containers, else ``/opt/ml``."""
        variables = os.environ if environment is None else environment
        return cls(Path(variables.get(BASE_VARIABLE, DEFAULT_BASE)))

    @property
    def model(self) -> Path:
        """What training leaves here becomes ``model.tar.gz``; serving finds it unpacked."""
        return self.base / "model"

    @property
    def checkpoints(self) -> Path:
        """What survives an interruption of spot instances; there when the job asked for it."""
        return self.base / "checkpoints"

    @property
    def failure(self) -> Path:
        """The file whose text becomes a training job's ``FailureReason``."""
        return self.base / "output" / "failure"

    @property
    def message(self) -> Path:
        """The file whose text becomes a processing job's ``ExitMessage``."""
        return self.base / "output" / "message"

    def channel(self, name: str) -> Path:
        """Find a training channel."""
        return self.base / "input" / "data" / name

    def processing_input(self, name: str) -> Path:
        """Find an input of a processing job."""
        return self.base / "processing" / "input" / name

    def processing_output(self, name: str) -> Path:
        """Find an output of a processing job."""
        return self.base / "processing" / "output" / name

    def hyperparameters(self) -> dict[str, str]:
        """Read the hyper-parameters; SageMaker passes every value as a string."""
        path = self.base / "input" / "config" / "hyperparameters.json"
        if not path.is_file():
            raise HyperparameterError(f"{path} does not exist")
        values = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in values.items()}


def write_reason(path: Path, error: BaseException) -> None:
    """Say why the job failed, as far as SageMaker passes it on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"{type(error).__name__}: {error}"
    path.write_text(text[:MAX_REASON_CHARACTERS], encoding="utf-8")


def required(hyperparameters: Mapping[str, str], name: str) -> str:
    """Read a hyper-parameter that must be there."""
    if name not in hyperparameters:
        raise HyperparameterError(
            f"the hyper-parameter {name!r} is missing; given are {sorted(hyperparameters)}"
        )
    return hyperparameters[name]


def whole_number(hyperparameters: Mapping[str, str], name: str, default: int) -> int:
    """Read a hyper-parameter that is a whole number."""
    text = hyperparameters.get(name, str(default))
    try:
        return int(text)
    except ValueError as error:
        message = f"the hyper-parameter {name!r} is {text!r}, but must be a whole number"
        raise HyperparameterError(message) from error


def processed(run: Callable[[JobFolders], None]) -> int:
    """Run a processing job; a failure is printed and told as its ``ExitMessage``."""
    folders = JobFolders.of_environment()
    try:
        run(folders)
    except Exception as error:  # noqa: BLE001 - the container's boundary: every reason is reported
        traceback.print_exc()
        write_reason(folders.message, error)
        return 1
    return 0
