"""The one format in which every benchmark prints what it measured."""

from __future__ import annotations

import json
import sys


def report(figure: str, value: float, unit: str, *, against: str, peer: float, source: str) -> None:
    """Print one figure beside its peer's, measured in the same run on ``source``."""
    line = {
        "figure": figure,
        "value": round(value, 4),
        "unit": unit,
        "against": f"{against}: {round(peer, 4)}",
        "ratio": round(value / peer, 4),
        "input": source,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
