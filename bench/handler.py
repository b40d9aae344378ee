"""The API's function: its cold import beyond boto3's own, and its own work a call."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.figures import report
from lambdas.inference.serve_predictions.adapters import QueuedPredictionLog, SageMakerEndpoint
from lambdas.inference.serve_predictions.handler import respond
from lambdas.inference.serve_predictions.logic import Instance, Now, PredictionService

COLD_IMPORT = """
import time
started = time.perf_counter()
import boto3
between = time.perf_counter()
import lambdas.inference.serve_predictions.handler
print(between - started, time.perf_counter() - between)
"""
CALLS = 2000
INPUTS = 30


class InstantEndpoint:
    """SageMaker's client, without SageMaker: the same answer at once."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def invoke_endpoint(self, **_request: object) -> dict[str, Any]:
        """Answer as the container did."""
        return {"Body": io.BytesIO(self._answer)}


class InstantQueue:
    """SQS's client, without SQS: takes everything at once."""

    def send_message(self, **_request: object) -> dict[str, Any]:
        """Take a message."""
        return {}


class NoInputs:
    """Nobody is looked up here."""

    def find(self, entities: Sequence[str]) -> list[Instance]:
        """Refuse."""
        raise LookupError(entities)


def cold_import(rounds: int) -> None:
    """Measure the import of the function's module after boto3's."""
    times = [_import_seconds() for _ in range(rounds)]
    report(
        "api_cold_import",
        statistics.median(own for _, own in times) * 1000,
        "ms",
        against="import boto3",
        peer=statistics.median(boto3 for boto3, _ in times) * 1000,
        source="a new interpreter each",
    )


def _import_seconds() -> tuple[float, float]:
    output = subprocess.run(
        [sys.executable, "-c", COLD_IMPORT], check=True, capture_output=True, text=True
    ).stdout
    boto3, own = output.split()
    return float(boto3), float(own)


def own_work() -> None:
    """Measure a call whose endpoint and queue cost nothing, beside reading and writing its JSON."""
    instance = {"inputs": {f"input_{number}": number + 0.5 for number in range(INPUTS)}}
    body = json.dumps({"instances": [instance]})
    member = {"probability": 0.25, "share": -0.5}
    prediction = {
        "probability": 0.25,
        "base": -1.0,
        "members": dict.fromkeys(("a", "b", "c"), member),
        "missing_sources": [],
    }
    answer = json.dumps({"model_version": "1", "predictions": [prediction]}).encode()
    service = PredictionService(
        endpoint=SageMakerEndpoint(InstantEndpoint(answer), "endpoint"),
        log=QueuedPredictionLog(InstantQueue(), "queue", None, "predictions"),
        inputs=NoInputs(),
        days=30,
        now=lambda: Now("2026-01-01T00:00:00.000Z", 0),
        new_id=lambda: "id",
    )
    event = {"httpMethod": "POST", "path": "/predictions", "headers": {}, "body": body}

    def call() -> None:
        given = respond(event, lambda: service)
        if given["statusCode"] != 200:  # noqa: PLR2004 - HTTP's number for success
            raise RuntimeError(given["body"])

    with contextlib.redirect_stdout(io.StringIO()):
        ours = _median_us(call)
    report(
        "api_own_work",
        ours,
        "us",
        against="reading and writing the same JSON",
        peer=_median_us(lambda: _exchange(body, json.loads(answer))),
        source=f"one instance of {INPUTS} inputs; endpoint and queue answer at once",
    )


def _exchange(body: str, answer: Mapping[str, Any]) -> None:
    json.loads(body)
    json.dumps(answer)


def _median_us(call: Callable[[], None]) -> float:
    durations = []
    for _ in range(CALLS):
        started = time.perf_counter()
        call()
        durations.append(time.perf_counter() - started)
    return statistics.median(durations) * 1e6


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="imports, of which the median")
    arguments = parser.parse_args()
    cold_import(arguments.rounds)
    own_work()


if __name__ == "__main__":
    main()
