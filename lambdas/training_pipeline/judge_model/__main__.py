"""Judges an evaluation on this machine: `python -m … EVALUATION CONFIGURATION`, both JSON files.

Whoever tries a change sees the verdict that it would get, by the very rules that will give it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lambdas.training_pipeline.judge_model.logic import judged
from lambdas.training_pipeline.training_config import gate


def main(evaluation: str, configuration: str) -> None:
    """Print the verdict as JSON."""
    measured, limits = (json.loads(Path(name).read_text()) for name in (evaluation, configuration))
    sys.stdout.write(json.dumps(judged(measured, gate(limits), evaluation)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
