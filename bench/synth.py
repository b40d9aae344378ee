"""Synthesis: our app beside an app without a stack, each in a new interpreter, in turns."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import report

REPOSITORY = Path(__file__).parents[1]
EMPTY_APP = "from aws_cdk import App; App().synth()"


def synthesis_seconds(command: list[str], environment: str) -> float:
    """Run an app as the CLI runs it, and take its time from start to end."""
    context = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "CDK_OUTDIR": folder,
            "CDK_CONTEXT_JSON": json.dumps({**context, "environment": environment}),
        }
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, *command],
            cwd=REPOSITORY,
            env={**os.environ, **settings},
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - started


def main() -> None:
    """Print one line: our median beside the empty app's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", default="prod", help="what is synthesised")
    parser.add_argument("--rounds", type=int, default=3, help="measurements, of which the median")
    arguments = parser.parse_args()
    pairs = [
        (
            synthesis_seconds(["app.py"], arguments.environment),
            synthesis_seconds(["-c", EMPTY_APP], arguments.environment),
        )
        for _ in range(arguments.rounds)
    ]
    report(
        "synthesis",
        statistics.median(ours for ours, _ in pairs),
        "s",
        against="an app without a stack",
        peer=statistics.median(empty for _, empty in pairs),
        source=f"the five stacks of {arguments.environment}",
    )


if __name__ == "__main__":
    main()
