"""Pauses between attempts: they grow, have a limit, and differ from one writer to the next."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

Pause = Callable[[int], None]
"""Waits after so many failed attempts."""

FIRST_SECONDS = 0.02
LONGEST_SECONDS = 0.4


def pause_seconds(failed_attempts: int, draw: float) -> float:
    """Give full jitter: any part, by a draw from 0 to 1, of what doubles with each attempt."""
    doublings = min(failed_attempts - 1, 16)
    return draw * min(LONGEST_SECONDS, FIRST_SECONDS * (1 << doublings))


def pause(failed_attempts: int) -> None:
    """Wait before the next attempt."""
    time.sleep(pause_seconds(failed_attempts, random.random()))  # noqa: S311 - no secret is drawn
