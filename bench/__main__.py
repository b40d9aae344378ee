"""Every benchmark, one after the other: ``python -m bench``."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("serving", "handler", "synth", "etl", "feature_store")


def main() -> None:
    """Run each benchmark in a process of its own, so that none warms another's caches."""
    for name in BENCHMARKS:
        subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)


if __name__ == "__main__":
    main()
