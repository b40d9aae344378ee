"""Load on an HTTP server over kept connections: answers a second, and the median one's time."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

OK = b"HTTP/1.1 200"


@dataclass(frozen=True)
class Load:
    """What a server did under load."""

    requests_per_second: float
    p50_ms: float


async def _client(port: int, request: bytes, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    durations = []
    while time.perf_counter() < until:
        start = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(OK):
            raise RuntimeError(f"the server answered {head!r}")
        _, _, length = head.lower().partition(b"content-length: ")
        await reader.readexactly(int(length.partition(b"\r\n")[0]))
        durations.append(time.perf_counter() - start)
    writer.close()
    await writer.wait_closed()
    return durations


async def _load(port: int, request: bytes, clients: int, seconds: float) -> Load:
    start = time.perf_counter()
    results = await asyncio.gather(
        *(_client(port, request, start + seconds) for _ in range(clients))
    )
    durations = [duration for result in results for duration in result]
    elapsed = time.perf_counter() - start
    return Load(len(durations) / elapsed, statistics.median(durations) * 1000)


def load(port: int, body: bytes, *, clients: int, seconds: float) -> Load:
    """Post ``body`` to ``/invocations`` over ``clients`` connections for some seconds."""
    head = (
        "POST /invocations HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return asyncio.run(_load(port, head.encode() + body, clients, seconds))
