"""Finds, in what a script printed to stderr, the sentence that says why it failed."""

from __future__ import annotations

from collections.abc import Sequence

TRACEBACK = "Traceback (most recent call last):"
CAUSE = "Caused by: "
FOLLOWING_LINES = 3
LIMIT = 2000


def failure_reason(lines: Sequence[str], exit_code: int | None) -> str:
    """Give the last exception with its causes, or the last words."""
    starts = [number for number, line in enumerate(lines) if TRACEBACK in line]
    if not starts:
        last = next((line for line in reversed(lines) if line.strip()), "")
        return f"Command failed with exit code {exit_code}. {last}".strip()[:LIMIT]
    after = lines[starts[-1] + 1 :]
    message = [line for line in after if not line.startswith((" ", "\t"))]
    causes = [line for line in after if line.startswith(CAUSE)]
    head = [line for line in message if not line.startswith(CAUSE)][:FOLLOWING_LINES]
    return "\n".join(dict.fromkeys([*head, *causes[-1:]]))[:LIMIT]
