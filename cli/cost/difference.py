"""What a change does to the bill: two estimates, line by line."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from cli.assembly import synthesise
from cli.cost.estimate import Estimate, estimate
from cli.cost.prices import Prices
from cli.errors import RefusedError
from cli.project import ROOT, tool_environment


class Change(NamedTuple):
    """What became of one kind of cost."""

    block: str
    kind: str
    before: float
    after: float

    @property
    def usd(self) -> float:
        """Return how much more it costs a month."""
        return self.after - self.before


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """Compare two estimates; what moved most comes first, what did not move is left out."""
    old, new = _by_kind(before), _by_kind(after)
    changes = [Change(*key, old.get(key, 0.0), new.get(key, 0.0)) for key in {**old, **new}]
    moved = [change for change in changes if abs(change.usd) >= 0.005]  # noqa: PLR2004 - half a cent
    return sorted(moved, key=lambda change: (-abs(change.usd), change.block, change.kind))


def _by_kind(document: dict[str, Any]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for line in document["lines"]:
        key = (line["block"], line["kind"])
        found[key] = found.get(key, 0.0) + line["usd"]
    return found


def estimate_of(reference: str, environment: str, prices: Prices) -> dict[str, Any]:
    """Read an estimate from a file that `--json` wrote, or make that of a commit.

    Raises:
        RefusedError: there is neither such a file nor such a commit, or it cannot be read.

    """
    file = Path(reference)
    if not file.is_file():
        return estimate_at(reference, environment, prices).document()
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return {name: document[name] for name in ("usd_per_month", "lines")}
    except (ValueError, KeyError, TypeError) as error:
        message = f"{file} is no estimate. Write one with: fourblocks cost {environment} --json"
        raise RefusedError(message) from error


def estimate_at(commit: str, environment: str, prices: Prices) -> Estimate:
    """Estimate the environment as a commit has it, at today's prices."""
    with tempfile.TemporaryDirectory(prefix="fourblocks-") as folder:
        archive = Path(folder) / "tree.tar"
        _git("archive", "--output", str(archive), commit)
        tree = Path(folder) / "tree"
        tree.mkdir()
        subprocess.run(["tar", "-xf", str(archive), "-C", str(tree)], check=True)  # noqa: S603, S607
        return estimate(synthesise(environment, tree), prices)


def _git(*words: str) -> None:
    finished = subprocess.run(  # noqa: S603 - git itself
        ["git", "-C", str(ROOT), *words],  # noqa: S607 - from the machine's PATH
        env=tool_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        message = f"--against {words[-1]!r} is neither a file nor a commit: {finished.stderr}"
        raise RefusedError(message.strip())
