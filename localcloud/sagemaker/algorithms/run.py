"""Runs one built-in container: finds its program, and writes down why it failed."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence

from localcloud.sagemaker.algorithms.container import Container, UserError

CLIENT_ERROR = 1
PLATFORM_ERROR = 255
COMMANDS = ("train", "serve")


def main(arguments: Sequence[str]) -> int:
    """Run `<algorithm> train` or `<algorithm> serve`; return the exit status."""
    algorithm, command = arguments
    container = Container.of_environment()
    if command not in COMMANDS:
        return _failed(container, f"The container runs train or serve, not {command!r}")
    package = f"localcloud.sagemaker.algorithms.{algorithm}"
    try:
        importlib.import_module(f"{package}.{command}").main(container)
    except UserError as error:
        return _failed(container, str(error), error.exit_code)
    except Exception:  # noqa: BLE001 - the failure file is how a container says what happened
        traceback.print_exc()
        return _failed(container, traceback.format_exc(limit=-3), PLATFORM_ERROR)
    return 0


def _failed(container: Container, reason: str, code: int = CLIENT_ERROR) -> int:
    container.write_failure(reason)
    sys.stderr.write(f"{reason}\n")
    return code
