"""Load on an HTTP server over kept connections, from one event loop that does little else."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import uvloop

OK = b"HTTP/1.1 200"
LENGTH = b"content-length: "
END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True)
class Load:
    """What a server did under load."""

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float


class _Client(asyncio.Protocol):
    """Sends the next request as soon as the last one is answered."""

    _transport: asyncio.Transport

    def __init__(self, requests: Sequence[bytes], first: int, until: float) -> None:
        self._requests = itertools.cycle([*requests[first:], *requests[:first]])
        self._until = until
        self._received = b""
        self._sent = 0.0
        self.durations: list[float] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take an answer's part; note the time of a whole one and go on."""
        self._received += data
        head, separator, body = self._received.partition(END_OF_HEAD)
        if not separator:
            return
        if not head.startswith(OK):
            self._end(RuntimeError(f"the server answered {self._received[:500]!r}"))
            return
        if not _whole(head, body):
            return
        now = time.perf_counter()
        self.durations.append(now - self._sent)
        self._received = b""
        if now < self._until:
            self._send()
        else:
            self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        """Fail, unless all is done."""
        self._end(error or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))

    def _end(self, error: Exception | None) -> None:
        if not self.ended.done():
            if error:
                self.ended.set_exception(error)
            else:
                self.ended.set_result(None)
        self._transport.close()


def _whole(head: bytes, body: bytes) -> bool:
    _, found, length = head.lower().partition(LENGTH)
    if found:
        return len(body) >= int(length.partition(b"\r\n")[0])
    return body.endswith(b"0\r\n\r\n")  # chunked


async def _load(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    made = []
    for number in range(clients):
        client = _Client(requests, number * len(requests) // clients, start + seconds)
        await loop.create_connection(lambda one=client: one, "127.0.0.1", port)  # type: ignore[misc]
        made.append(client)
    await asyncio.gather(*(client.ended for client in made))
    elapsed = time.perf_counter() - start
    durations = sorted(one for client in made for one in client.durations)
    p99 = durations[min(len(durations) - 1, len(durations) * 99 // 100)]
    count = len(durations)
    return Load(count, count / elapsed, statistics.median(durations) * 1000, p99 * 1000)


def load(port: int, path: str, bodies: Sequence[bytes], *, clients: int, seconds: float) -> Load:
    """Post the bodies in turn over ``clients`` connections for some seconds."""
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    requests = [f"{head}content-length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_load(port, requests, clients, seconds))
