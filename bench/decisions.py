"""What decisions are worth on the test months, policy beside policy, and how long one takes.

``--predictions FILE`` of ``use_cases.<use case>.bench.predictions``; without, they are made first,
which takes some minutes.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench.figures import report
from stacks.config.environments import USE_CASE

MILLION = 1e6


def main() -> None:
    """Run every policy over the test months and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path, help="a file made before")
    parser.add_argument("--first", default="2013-11", help="month to begin with")
    arguments = parser.parse_args()
    policies = _use_case("decision_policies")
    with tempfile.TemporaryDirectory() as folder:
        file = arguments.predictions
        if file is None:
            file = Path(folder) / "predictions.parquet"
            _use_case("predictions").write_predictions(file)
        rows = policies.read_months(file, arguments.first)
    # The months are ours, not the decision's: its garbage collections shall not walk them.
    gc.freeze()
    nothing = sum(row["lost"] for row in rows)
    source = f"{USE_CASE}, {len(rows)} entities since {arguments.first}"
    found: dict[str, Any] = {}
    for name, choose in policies.POLICIES.items():
        outcome = found[name] = policies.run(rows, choose)
        report(f"realised saving, {name}", outcome.realised / MILLION, "M",
               against="doing nothing", peer=nothing / MILLION, source=source)  # fmt: skip
        report(f"expected saving, {name}", outcome.expected / MILLION, "M",
               against="realised", peer=outcome.realised / MILLION, source=source)  # fmt: skip
    _compare(policies, found, source)
    ours = found[policies.OURS]
    _times("solving one decision", ours.solve_seconds, source)
    _times("one decision, whole", ours.seconds, source)


def _compare(policies: Any, found: dict[str, Any], source: str) -> None:
    """Say what ours saves more than each other, and how sure that is: days are drawn again."""
    ours = found[policies.OURS]
    for name, other in found.items():
        if name != policies.OURS:
            low, high = policies.interval(ours, other)
            report(f"ours more than {name}: {low / MILLION:+.2f} to {high / MILLION:+.2f}",
                   (ours.realised - other.realised) / MILLION, "M",
                   against="its own saving", peer=other.realised / MILLION,
                   source=source)  # fmt: skip


def _times(figure: str, seconds: list[float], source: str) -> None:
    """Report times of the processor, which other processes do not change."""
    cuts = statistics.quantiles(seconds, n=100)
    for name, value in (("p50", cuts[49]), ("p99", cuts[98]), ("longest", max(seconds))):
        report(f"{figure}, {name}", value * 1000, "ms", against="target of solving at p99",
               peer=50.0, source=source)  # fmt: skip


def _use_case(module: str) -> Any:
    return importlib.import_module(f"use_cases.{USE_CASE}.bench.{module}")


if __name__ == "__main__":
    main()
