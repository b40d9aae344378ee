"""The server's manners on a real socket: limits, odd clients, draining."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from pipeline_code.inference.answers import Answer, ok
from pipeline_code.inference.http_server import HttpServer, Limits, Request

LIMITS = Limits(body_bytes=1000, head_bytes=500, connections=3, drain_seconds=5.0)
SECONDS = 10


class Echo:
    def __init__(self) -> None:
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        return ok(request.body or b"nothing", "text/plain")


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SECONDS)).decode()
        status, *lines = head.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(status.split()[1]), headers, body

    async def rest(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(), SECONDS)


def post(body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = ["POST /invocations HTTP/1.1", "host: x", *headers]
    lines.append(f"content-length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class World:
    def __init__(self, http: HttpServer, server: asyncio.Server, echo: Echo) -> None:
        self.http, self.server, self.echo = http, server, echo
        self.port = server.sockets[0].getsockname()[1]

    async def client(self) -> Client:
        return Client(*await asyncio.open_connection("127.0.0.1", self.port))


@asynccontextmanager
async def world(limits: Limits) -> AsyncIterator[World]:
    echo = Echo()
    http = HttpServer(echo, limits)
    server = await asyncio.get_running_loop().create_server(http.connect, "127.0.0.1", 0)
    sweeper = asyncio.create_task(http.sweep())
    yield World(http, server, echo)
    sweeper.cancel()
    server.close()


Scene = Callable[[World], Awaitable[Any]]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:

        async def play(scene: Scene, limits: Limits) -> Any:
            async with world(limits) as one:
                return await scene(one)

        yield lambda scene, limits=LIMITS: runner.run(play(scene, limits))


def test_requests_follow_each_other_on_one_connection_in_order(run: Any) -> None:
    async def scene(one: World) -> None:
        client = await one.client()
        client.send(post(b"a") + post(b"b"))
        assert [(await client.answer())[2] for _ in range(2)] == [b"a", b"b"]
        client.send(post(b"c"))
        assert (await client.answer())[2] == b"c"

    run(scene)


def test_a_request_in_pieces_is_one_request(run: Any) -> None:
    async def scene(one: World) -> None:
        client = await one.client()
        for byte in post(b"body", "x-custom: Value"):
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.answer())[2] == b"body"
        assert one.echo.requests[0].headers["x-custom"] == "Value"

    run(scene)


def test_a_body_in_chunks_is_put_together(run: Any) -> None:
    async def scene(one: World) -> None:
        client = await one.client()
        head = b"POST /a?b=c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        client.send(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert (await client.answer())[2] == b"abcde"
        assert one.echo.requests[0].path == "/a"

    run(scene)


def test_a_client_that_asks_may_send_its_body(run: Any) -> None:
    async def scene(one: World) -> None:
        client = await one.client()
        client.send(post(b"", "expect: 100-continue", length=4))
        assert (await client.answer())[0] == 100
        client.send(b"body")
        assert (await client.answer())[2] == b"body"

    run(scene)


@pytest.mark.parametrize("lines", [b"connection: close\r\n", b""])
def test_a_client_that_wants_no_more_is_let_go(run: Any, lines: bytes) -> None:
    async def scene(one: World) -> None:
        client = await one.client()
        version = b"1.1" if lines else b"1.0"
        client.send(b"GET / HTTP/" + version + b"\r\nhost: x\r\n" + lines + b"\r\n")
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await client.rest() == b""

    run(scene)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(b"", length=1001), 413),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001, 413),
        (post(b"", "x-long: " + "y" * 600), 431),
        (b"GET /" + b"y" * 600 + b" HTTP/1.1\r\n\r\n", 431),
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400),
        (post(b"", "transfer-encoding: chunked", length=3), 400),
        (b"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", 200),
    ],
)
def test_what_is_too_large_or_no_request_is_refused_and_let_go(
    run: Any, request_: bytes, status: int
) -> None:
    async def scene(one: World) -> None:
        client = await one.client()
        client.send(request_)
        found, headers, _ = await client.answer()
        assert found == status
        if status != 200:
            assert headers["content-type"] == "application/problem+json"
            assert headers["connection"] == "close"
            assert one.echo.requests == []
        assert one.http.buffered_bytes == 0

    run(scene)


def test_a_client_that_goes_on_sending_too_much_still_reads_why(run: Any) -> None:
    async def scene(one: World) -> None:
        client = await one.client()
        client.send(post(b"x" * 300_000))
        assert (await client.answer())[0] == 413
        assert await client.rest() == b""

    run(scene)


def test_a_client_too_many_is_told_to_come_back(run: Any) -> None:
    async def scene(one: World) -> None:
        guests = [await one.client() for _ in range(3)]
        for guest in guests:
            guest.send(post(b"in"))
            assert (await guest.answer())[0] == 200
        late = await one.client()
        status, headers, _ = await late.answer()
        assert (status, headers["retry-after"]) == (503, "1")
        guests[0].send(post(b"still in"))
        assert (await guests[0].answer())[2] == b"still in"

    run(scene)


def test_what_waits_to_be_complete_is_limited_for_all_together(run: Any) -> None:
    async def scene(one: World) -> None:
        first, second = await one.client(), await one.client()
        first.send(post(b"x" * 900, length=1000))
        second.send(post(b"x" * 900, length=1000))
        done, _ = await asyncio.wait(
            [asyncio.create_task(first.answer()), asyncio.create_task(second.answer())],
            return_when=asyncio.FIRST_COMPLETED,
            timeout=SECONDS,
        )
        assert done.pop().result()[0] == 503
        assert one.http.buffered_bytes == 900

    run(scene, LIMITS._replace(buffered_bytes=1500))


def test_a_request_that_does_not_arrive_in_time_is_refused(run: Any) -> None:
    async def scene(one: World) -> None:
        slow, idle = await one.client(), await one.client()
        idle.send(post(b"first"))
        await idle.answer()
        slow.send(post(b"", length=10))
        assert (await slow.answer())[0] == 408
        assert await slow.rest() == b""
        idle.send(post(b"second"))
        assert (await idle.answer())[2] == b"second"

    run(scene, LIMITS._replace(request_seconds=0.2))


def test_draining_answers_what_has_begun_and_lets_the_idle_go(run: Any) -> None:
    async def scene(one: World) -> None:
        idle, busy = await one.client(), await one.client()
        idle.send(post(b"first"))
        await idle.answer()
        busy.send(post(b"", "expect: 100-continue", length=4))
        assert (await busy.answer())[0] == 100
        one.server.close()
        draining = asyncio.create_task(one.http.drain())
        assert await idle.rest() == b""
        with pytest.raises(OSError):
            await one.client()
        busy.send(b"body")
        status, headers, body = await busy.answer()
        assert (status, headers["connection"], body) == (200, "close", b"body")
        await asyncio.wait_for(draining, SECONDS)

    run(scene)


def test_draining_does_not_wait_for_ever(run: Any) -> None:
    async def scene(one: World) -> None:
        stuck = await one.client()
        stuck.send(post(b"", "expect: 100-continue", length=4))
        await stuck.answer()
        await asyncio.wait_for(one.http.drain(), SECONDS)

    run(scene, LIMITS._replace(drain_seconds=0.1))


def test_nothing_is_kept_of_requests_that_were_answered(run: Any) -> None:
    async def scene(one: World) -> None:
        client = await one.client()

        async def ask(count: int) -> None:
            for _ in range(count):
                client.send(post(b"x" * 500))
                await client.answer()
                one.echo.requests.clear()
            gc.collect()

        await ask(100)
        before = len(gc.get_objects())
        await ask(requests := 1000)
        assert len(gc.get_objects()) - before < requests / 2, "the interpreter itself adds some"

    run(scene)
