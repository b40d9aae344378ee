"""Tells those who wait for a job that it has ended, so that nobody has to poll fast.

The job's service calls `announce(arn)` once the job's final state can be described; a waiter calls
`wait(arn, seconds)` and describes the job whenever that returns.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

_REMEMBERED = 4096
_changed = threading.Condition()
_ended: OrderedDict[str, None] = OrderedDict()


def announce(name: str) -> None:
    """Wake everyone who waits for a job, named by its ARN or run id."""
    with _changed:
        _ended[name] = None
        while len(_ended) > _REMEMBERED:
            _ended.popitem(last=False)
        _changed.notify_all()


def wait(name: str, seconds: float) -> bool:
    """Tell whether a job ended within some seconds."""
    with _changed:
        return _changed.wait_for(lambda: name in _ended, seconds)
