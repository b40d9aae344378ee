"""`make prove`: runs each command that docs/evidence.md rests on and says which promise it keeps.

A row of the table is `| promise | `command` | last figure |`; an argument limits the run to the
rows whose promise contains it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = ROOT / "docs" / "evidence.md"
ROW = re.compile(r"^\|\s*(?P<promise>[^|]+?)\s*\|\s*`(?P<command>[^`]+)`\s*\|", re.MULTILINE)


class Claim(NamedTuple):
    """One promise with the command that shows it."""

    promise: str
    command: str


def claims(text: str) -> list[Claim]:
    """Read the rows of the evidence table."""
    return [Claim(row["promise"], row["command"]) for row in ROW.finditer(text)]


def shows(claim: Claim) -> bool:
    """Run a claim's command and tell whether it exits 0."""
    sys.stdout.write(f"\n== {claim.promise}\n$ {claim.command}\n")
    sys.stdout.flush()
    started = time.monotonic()
    # The commands are this repository's own, written for a shell.
    shell = ["bash", "-euo", "pipefail", "-c", claim.command]
    finished = subprocess.run(shell, cwd=ROOT, check=False)  # noqa: S603
    kept = "kept" if finished.returncode == 0 else f"BROKEN (exit {finished.returncode})"
    sys.stdout.write(f"== {kept} in {time.monotonic() - started:.1f} s: {claim.promise}\n")
    return finished.returncode == 0


def main(arguments: list[str]) -> int:
    """Run the wanted rows; each command runs once, however many promises rest on it."""
    wanted = arguments[0] if arguments else ""
    rows = [row for row in claims(EVIDENCE.read_text(encoding="utf-8")) if wanted in row.promise]
    unique = {row.command: row for row in reversed(rows)}
    results = [shows(row) for row in reversed(unique.values())]
    sys.stdout.write(f"\n{sum(results)} of {len(results)} commands kept their promise\n")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
