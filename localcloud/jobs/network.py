"""Jobs without a network, as `EnableNetworkIsolation` asks for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_PROGRAM = [sys.executable, "-I", "-S", str(Path(__file__).with_name("isolation.py"))]
_PROBE_SECONDS = 10


@cache
def can_isolate() -> bool:
    """Tell whether this machine lets us cut processes off from the network."""
    probe = subprocess.run(  # noqa: S603  our own program
        isolated(["true"]), capture_output=True, timeout=_PROBE_SECONDS, check=False
    )
    return probe.returncode == 0


def isolated(command: Sequence[str], port: int | None = None) -> list[str]:
    """Return a command that runs without a network; only a port that it serves is reached."""
    return [*_PROGRAM, "-" if port is None else str(port), *command]
