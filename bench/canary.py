"""How soon the canary judge sees a bad version, and how often it wrongs a good one.

Run ``python -m bench.canary``; ``CANARY_RUNS`` sets the deployments a row (50), ``CANARY_SAME`` the
redeployments of an identical version (400).
"""

from __future__ import annotations

import json
import os
import statistics
import sys

from bench.canary_traffic import GOOD, KINDS, Behaviour, Outcome, Traffic, deployment
from lambdas.inference.judge_canary.checks import Limits

RUNS = int(os.environ.get("CANARY_RUNS", "50"))
SAME = int(os.environ.get("CANARY_SAME", "400"))


def main() -> None:
    """Print the power table, then the false roll-backs beside those of the any-error rule."""
    for name in KINDS:
        _write(name, "", _deployments(KINDS[name], Traffic(), RUNS))
    for rate in (0.001, 0.005):
        for garbage in (0.0, 0.05):
            traffic = Traffic(base_errors=rate, garbage=garbage)
            what = f"identical, {rate:.1%} errors, {garbage:.0%} garbage"
            _write(what, "false roll-backs", _deployments(GOOD, traffic, SAME))


def _deployments(behaviour: Behaviour, traffic: Traffic, runs: int) -> list[Outcome]:
    return [deployment(seed, behaviour, traffic, Limits()) for seed in range(runs)]


def _write(what: str, note: str, outcomes: list[Outcome]) -> None:
    caught = [outcome for outcome in outcomes if outcome.rolled_back]
    line: dict[str, object] = {
        "figure": f"canary: {what}",
        "value": round(100 * len(caught) / len(outcomes), 2),
        "unit": f"% {note or 'rolled back'}",
        "against": "any-error alarm: "
        f"{100 * sum(each.any_error_alarm for each in outcomes) / len(outcomes):.1f} %",
        "input": f"{len(outcomes)} deployments, 20 requests/s, 10 % canary, 300 s",
    }
    if caught:
        line["median_seconds"] = statistics.median(each.seconds for each in caught)
        line["median_bad_answers"] = statistics.median(each.bad_answers for each in caught)
        line["most_bad_answers"] = max(each.bad_answers for each in caught)
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
