"""The log of IAM decisions: who asked for which action on which resource, and the answer.

One JSON object a line. `least_privilege` turns it into what each role really used.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ALLOWED = "Allow"


@dataclass(frozen=True)
class Decision:
    """One authorisation decision."""

    principal: str
    action: str
    resource: str
    decision: str  #: "Allow", "Deny" or "ImplicitDeny"


class DecisionLog:
    """Appends decisions to a file; every thread of the daemon may write."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = path.open("a", buffering=1)

    def write(self, decision: Decision) -> None:
        """Append one decision."""
        record = {"at": round(time.time(), 3), **vars(decision)}
        with self._lock:
            self._file.write(json.dumps(record) + "\n")


def read(path: Path) -> list[Decision]:
    """Return the decisions of a log, oldest first."""
    if not path.exists():
        return []
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return [Decision(**{key: each[key] for key in Decision.__annotations__}) for each in records]


def role_of(principal: str) -> str:
    """Return the role's name of an assumed role's ARN, or the principal itself."""
    kind, _, rest = principal.partition(":assumed-role/")
    return rest.split("/", 1)[0] if rest else kind


def least_privilege(decisions: Iterable[Decision]) -> dict[str, dict[str, list[str]]]:
    """Return, for each role, the actions that it was allowed and used, with their resources."""
    used: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for each in decisions:
        if each.decision == ALLOWED:
            used[role_of(each.principal)][each.action].add(each.resource)
    return {
        role: {action: sorted(resources) for action, resources in sorted(actions.items())}
        for role, actions in sorted(used.items())
    }
