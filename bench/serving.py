"""Serving: our container beside a bare HTTP server, our scoring beside LightGBM's own."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import lightgbm

from bench.figures import report
from bench.http_load import Load, load
from bench.synthetic_ensemble import build
from pipeline_code.inference.predictor import Instance, Matrix, Predictor, load_predictor

T = TypeVar("T")

START_SECONDS = 30
CLIENTS = 64


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], port: int) -> Iterator[float]:
    """Run a server on a core of its own; give the seconds until it first answered."""
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        preexec_fn=_on_first_core,  # noqa: PLW1509 - no threads run yet
    ) as process:
        try:
            _await_answer(port, started + START_SECONDS)
            yield time.perf_counter() - started
        finally:
            process.terminate()


def _on_first_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _await_answer(port: int, deadline: float) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/ping", method="GET")
    while time.perf_counter() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(request):  # noqa: S310 - ours
            return
        time.sleep(0.01)
    raise TimeoutError(f"nothing answered on port {port} within {START_SECONDS} s")


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serving(model: Path, body: bytes, seconds: float, rounds: int, source: str) -> None:
    """Measure our container and the bare server in turns."""
    ours_port, bare_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as base:
        (Path(base) / "model").symlink_to(model.resolve())
        environment = {
            "SAGEMAKER_BASE_DIR": base,
            "SAGEMAKER_BIND_TO_PORT": str(ours_port),
            "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
        }
        ours = [sys.executable, "-m", "pipeline_code.container", "serve"]
        bare = [sys.executable, "-m", "bench.constant_server", str(bare_port)]
        with (
            running(ours, environment, ours_port) as cold_start,
            running(bare, {}, bare_port) as bare_start,
        ):
            report(
                "serving_cold_start",
                cold_start,
                "s",
                against="bare asyncio server",
                peer=bare_start,
                source=source,
            )
            for clients in (1, CLIENTS):
                pairs = [
                    (
                        load(ours_port, body, clients=clients, seconds=seconds),
                        load(bare_port, body, clients=clients, seconds=seconds),
                    )
                    for _ in range(rounds)
                ]
                _report_load(pairs, clients, source)


def _report_load(pairs: list[tuple[Load, Load]], clients: int, source: str) -> None:
    figures: list[tuple[str, str, Callable[[Load], float]]] = [
        ("requests_per_second", "1/s", lambda one: one.requests_per_second),
        ("p50", "ms", lambda one: one.p50_ms),
    ]
    for name, unit, value in figures:
        report(
            f"serving_{name}_{clients}_clients",
            statistics.median(value(ours) for ours, _ in pairs),
            unit,
            against="bare asyncio server, constant answer",
            peer=statistics.median(value(bare) for _, bare in pairs),
            source=source,
        )


def scoring(model: Path, predictor: Predictor, instances: list[Instance], source: str) -> None:
    """Measure one row from inputs and from features, beside the members' ``Booster.predict``."""
    ensemble = predictor.ensemble
    matrices = [predictor.feature_matrix([instance]) for instance in instances]
    boosters = [
        (lightgbm.Booster(model_file=str(model / "members" / f"{member.name}.txt")), member.columns)
        for member in ensemble.members
    ]

    def package(row: Matrix) -> None:
        for booster, columns in boosters:
            booster.predict(row[:, columns], num_threads=1)

    peer = _median_us(package, matrices)
    for figure, value in (
        ("features_to_answer", _median_us(ensemble.predict, matrices)),
        ("inputs_to_answer", _median_us(lambda one: predictor.predict([one]), instances)),
    ):
        report(
            figure,
            value,
            "us",
            against="Booster.predict(ndarray) of the members",
            peer=peer,
            source=source,
        )


def _median_us(call: Callable[[T], object], arguments: Sequence[T]) -> float:
    durations = []
    for argument in arguments:
        start = time.perf_counter()
        call(argument)
        durations.append(time.perf_counter() - start)
    return statistics.median(durations) * 1e6


def main() -> None:
    """Measure a given model, or one of a use case's shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--use-case", default=_only_use_case(), help="whose shape to serve")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements, of which the median")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder)
        instances = build(model, arguments.use_case)[:500]
        source = f"synthetic {arguments.use_case}, one row a request"
        body = json.dumps({"instances": instances[:1]}).encode()
        scoring(model, load_predictor(model), instances, source)
        serving(model, body, arguments.seconds, arguments.rounds, source)


def _only_use_case() -> str:
    folder = Path(__file__).parents[1] / "use_cases"
    return min(path.parent.name for path in folder.glob("*/members.yaml"))


if __name__ == "__main__":
    main()
