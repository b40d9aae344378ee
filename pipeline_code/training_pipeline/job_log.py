"""The job's log: lines that people read, and from which SageMaker reads metrics."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Print a line at once; ``name=value`` is a metric."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
