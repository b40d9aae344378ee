"""Serving: our container beside other stacks and a bare server; scoring beside LightGBM's own.

Every server runs on one core and has the load on the other; all run through the whole measurement
and are asked in turn, round by round. The figure is the median of the rounds.
"""

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import httpx
import lightgbm
import psutil

from bench.figures import report
from bench.http_load import Load, load
from bench.peer_servers import (
    BARE,
    OURS,
    PEER_SERVERS,
    Peer,
    Running,
    environment_of,
    variables_of,
)
from bench.synthetic_ensemble import build
from pipeline_code.inference.predictor import Instance, Matrix, Predictor, load_predictor

T = TypeVar("T")

START_SECONDS = 120
CLIENTS = 64
REQUESTS = 500
MEBIBYTE = 1024 * 1024


class Server(NamedTuple):
    """A peer that runs."""

    peer: Peer
    port: int
    start_seconds: float
    process: int


@contextlib.contextmanager
def running(peer: Peer, model: Path, body: bytes) -> Iterator[Server]:
    """Run a server on the first core; it runs when it has answered the request rightly."""
    with tempfile.TemporaryDirectory() as folder:
        place = Running(environment_of(peer), free_port(), Path(folder))
        command, variables = peer.command(place), variables_of(peer, model, place)
        started = time.perf_counter()
        with subprocess.Popen(
            command,
            env=variables,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_on_first_core,  # noqa: PLW1509 - no threads run yet
        ) as process:
            try:
                _await_answer(peer, place.port, body, started + START_SECONDS)
                tell(f"{peer.name} answers")
                yield Server(peer, place.port, time.perf_counter() - started, process.pid)
            finally:
                os.killpg(process.pid, 15)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)


def _on_first_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _on_last_core() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _await_answer(peer: Peer, port: int, body: bytes, deadline: float) -> None:
    url = f"http://127.0.0.1:{port}{peer.path}"
    said = "nothing"
    while time.perf_counter() < deadline:
        with contextlib.suppress(httpx.TransportError):
            headers = {"content-type": "application/json"}
            answer = httpx.post(url, content=peer.request(body), headers=headers, timeout=10)
            if answer.status_code == httpx.codes.OK:
                return
            said = f"{answer.status_code} {answer.text[:500]}"
        time.sleep(0.005)
    raise TimeoutError(f"{peer.name} said {said} within {START_SECONDS} s")


def free_port() -> int:
    """Find a port that nobody listens on, low enough for others above it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1]) % 20_000 + 12_000


def tell(text: str) -> None:
    """Say how far the benchmark is."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def serving(
    model: Path,
    bodies: Sequence[bytes],
    peers: Sequence[Peer],
    seconds: float,
    rounds: int,
    source: str,
) -> None:
    """Measure our container, the bare server and the peers in turns."""
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(running(peer, model, bodies[0])) for peer in (OURS, BARE, *peers)
        ]
        _on_last_core()
        _report_start(servers, source)
        for clients in (1, CLIENTS):
            loads: dict[str, list[Measured]] = {server.peer.name: [] for server in servers}
            for number in range(rounds):
                for server in servers:
                    tell(f"round {number + 1} of {rounds}, {clients} clients: {server.peer.name}")
                    loads[server.peer.name].append(_measured(server, bodies, clients, seconds))
            _report_load(loads, clients, source)
        _report_memory(servers, source)


class Measured(NamedTuple):
    """What a server did, and what it used of its processor: the latter is its own on a busy one."""

    load: Load
    processor_seconds: float

    @property
    def per_processor_second(self) -> float:
        """Requests that a processor of its own would have answered in a second."""
        return self.load.requests / self.processor_seconds


def _measured(server: Server, bodies: Sequence[bytes], clients: int, seconds: float) -> Measured:
    asked = [server.peer.request(body) for body in bodies]
    before = _processor_seconds(server.process)
    found = load(server.port, server.peer.path, asked, clients=clients, seconds=seconds)
    return Measured(found, _processor_seconds(server.process) - before)


def _family(process: int) -> list[psutil.Process]:
    root = psutil.Process(process)
    return [root, *root.children(recursive=True)]


def _processor_seconds(process: int) -> float:
    times = [one.cpu_times() for one in _family(process)]
    return sum(float(one.user + one.system) for one in times)


def _report_start(servers: Sequence[Server], source: str) -> None:
    ours = servers[0].start_seconds
    for server in servers[1:]:
        report(
            "serving_cold_start",
            ours,
            "s",
            against=server.peer.name,
            peer=server.start_seconds,
            source=source,
        )


def _report_memory(servers: Sequence[Server], source: str) -> None:
    ours = _resident_mebibytes(servers[0].process)
    for server in servers[1:]:
        report(
            "serving_resident_memory",
            ours,
            "MiB",
            against=server.peer.name,
            peer=_resident_mebibytes(server.process),
            source=source,
        )


def _resident_mebibytes(process: int) -> float:
    """Add up the resident memory of a process and its descendants."""
    return sum(int(one.memory_info().rss) for one in _family(process)) / MEBIBYTE


def _report_load(loads: Mapping[str, Sequence[Measured]], clients: int, source: str) -> None:
    figures: list[tuple[str, str, Callable[[Measured], float]]] = [
        ("requests_per_second", "1/s", lambda one: one.load.requests_per_second),
        ("requests_per_processor_second", "1/s", lambda one: one.per_processor_second),
        ("p50", "ms", lambda one: one.load.p50_ms),
        ("p99", "ms", lambda one: one.load.p99_ms),
    ]
    for name, unit, value in figures:
        medians = {server: statistics.median(map(value, found)) for server, found in loads.items()}
        ours = medians.pop(OURS.name)
        for server, peer in medians.items():
            report(
                f"serving_{name}_{clients}_clients",
                ours,
                unit,
                against=server,
                peer=peer,
                source=source,
            )


def exactness(model: Path, predictor: Predictor, instances: list[Instance], source: str) -> None:
    """Count requests of which every member's answer is ``Booster.predict``'s, bit for bit."""
    matrix = predictor.feature_matrix(instances)
    boosters = {
        member.name: lightgbm.Booster(model_file=str(model / "members" / f"{member.name}.txt"))
        for member in predictor.ensemble.members
    }
    expected = {
        member.name: boosters[member.name].predict(
            matrix[:, member.columns].astype("float64"), num_threads=1
        )
        for member in predictor.ensemble.members
    }
    found = [predictor.predict([instance])[0] for instance in instances]
    equal = sum(
        all(share["probability"] == expected[name][row] for name, share in one["members"].items())
        for row, one in enumerate(found)
    )
    report(
        "answers_equal_to_the_library",
        equal,
        "requests",
        against="requests",
        peer=len(instances),
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
    """Measure a model of a use case's shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--use-case", default=_only_use_case(), help="whose shape to serve")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements, of which the median")
    parser.add_argument("--peers", default="", help="names of peers, by comma; all if none")
    arguments = parser.parse_args()
    wanted = arguments.peers.split(",") if arguments.peers else []
    peers = [peer for peer in PEER_SERVERS if not wanted or peer.requirements in wanted]
    for peer in peers:
        environment_of(peer)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        model.mkdir()
        instances = build(model, arguments.use_case)[:REQUESTS]
        source = f"synthetic {arguments.use_case}, one row a request, {REQUESTS} different ones"
        bodies = [json.dumps({"instances": [instance]}).encode() for instance in instances]
        predictor = load_predictor(model)
        exactness(model, predictor, instances, source)
        scoring(model, predictor, instances, source)
        serving(model, bodies, peers, arguments.seconds, arguments.rounds, source)


def _only_use_case() -> str:
    folder = Path(__file__).parents[1] / "use_cases"
    return min(path.parent.name for path in folder.glob("*/members.yaml"))


if __name__ == "__main__":
    main()
