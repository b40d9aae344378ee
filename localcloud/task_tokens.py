"""The tokens that tasks of state machines wait for, each with the machine that IAM asks about."""

from __future__ import annotations

import threading

_LOCK = threading.Lock()
_MACHINES: dict[str, str] = {}


def remember(token: str, machine_arn: str) -> None:
    """Note whose task waits for a token."""
    with _LOCK:
        _MACHINES[token] = machine_arn


def forget(token: str) -> None:
    """Note that nobody waits for a token any more."""
    with _LOCK:
        _MACHINES.pop(token, None)


def machine_of(token: str) -> str | None:
    """Return the ARN of the state machine whose task waits for a token."""
    with _LOCK:
        return _MACHINES.get(token)
