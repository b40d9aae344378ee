"""The state of one job while it runs, written where Describe reads it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud.jobs import completions
from localcloud.jobs.host import client
from localcloud.jobs.log_delivery import LogStream
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.store import Store

TAIL_LINES = 20
REASON_CHARACTERS = 1024


@dataclass(frozen=True)
class Watcher:
    """What somebody who started a job wants to be told of it."""

    on_metric: Callable[[str, float], Any] = lambda *_: None
    on_end: Callable[[], Any] = lambda: None


class JobState:
    """Changes one job's document; a change is visible at once."""

    def __init__(self, store: Store, scope: Scope, kind: str, name: str, arn: str) -> None:
        self._store = store
        self._scope = scope
        self._kind = kind
        self.name = name
        self.arn = arn
        self.watcher = Watcher()
        self._lock = threading.Lock()

    def set(self, **fields: object) -> None:
        """Set fields of the description."""
        self._store.change(self._scope, self._kind, self.name, **fields, LastModifiedTime=now())

    def document(self) -> Document:
        """Copy the description."""
        return self._store.find(self._scope, self._kind, self.name) or {}

    def enter(self, secondary: str, message: str) -> None:
        """Begin the next phase, which ends the one before."""
        with self._lock:
            moment = now()
            transitions = self.document().get("SecondaryStatusTransitions", [])
            if transitions:
                transitions[-1].setdefault("EndTime", moment)
            begun = {"Status": secondary, "StartTime": moment, "StatusMessage": message}
            self.set(SecondaryStatus=secondary, SecondaryStatusTransitions=[*transitions, begun])

    def end(self, **fields: object) -> None:
        """Write the final state and wake those who wait for it."""
        if "FailureReason" in fields:
            fields["FailureReason"] = str(fields["FailureReason"])[:REASON_CHARACTERS]
        self.set(**fields)
        completions.announce(self.arn)
        self.watcher.on_end()


class JobLog:
    """Where a job's lines go: to CloudWatch Logs, to readers, and the last ones to memory."""

    def __init__(self, role: dict[str, str], group: str, stream: str) -> None:
        self._delivery = LogStream(client("logs", role), group, stream)
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._readers: list[Callable[[str], Any]] = [self._delivery.write, self._tail.append]

    def also(self, reader: Callable[[str], Any]) -> None:
        """Show the lines to another reader too."""
        self._readers.append(reader)

    def write(self, line: str) -> None:
        """Take one line."""
        for reader in self._readers:
            reader(line)

    def tail(self) -> str:
        """Show the last lines, for a failure reason."""
        return "\n".join(self._tail)

    def close(self) -> None:
        """Deliver what is left."""
        self._delivery.close()
