"""HTTP/1.1 for one process: requests in, answers out, every connection within limits.

Work is done where a request is complete, so one request is computed at a time; what waits lies in
the sockets' buffers and, up to ``Limits.buffered_bytes``, in ours.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import NamedTuple, Protocol, cast

import httptools

from pipeline_code.inference.answers import Answer, problem
from pipeline_code.inference.contract import MAX_BODY_BYTES

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0


class Limits(NamedTuple):
    """What clients may take."""

    connections: int = 1024
    head_bytes: int = 16 * 1024
    body_bytes: int = MAX_BODY_BYTES
    buffered_bytes: int = 64 * 1024 * 1024
    """Bytes of requests that are not yet complete, of all connections together."""
    request_seconds: float = 60.0
    """For a request to arrive, once it has begun."""
    drain_seconds: float = 20.0
    """For requests that have begun to be answered after the order to stop."""


class Request(NamedTuple):
    """A complete request; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Application(Protocol):
    """What answers requests, at once."""

    def answer(self, request: Request) -> Answer:
        """Answer; must not raise."""
        ...


class HttpServer:
    """The connections of one process."""

    def __init__(self, application: Application, limits: Limits) -> None:
        self.application = application
        self.limits = limits
        self.buffered_bytes = 0
        self.draining = False
        self._connections: set[Connection] = set()
        self._all_closed = asyncio.Event()

    def connect(self) -> Connection:
        """Make the protocol of a new connection."""
        return Connection(self)

    def opened(self, connection: Connection) -> bool:
        """Count a connection in, unless there are too many."""
        full = len(self._connections) >= self.limits.connections
        self._connections.add(connection)
        self._all_closed.clear()
        return not full

    def closed(self, connection: Connection) -> None:
        """Count a connection out."""
        self._connections.discard(connection)
        if not self._connections:
            self._all_closed.set()

    async def drain(self) -> None:
        """Close idle connections, let the others finish what has begun, within the time."""
        self.draining = True
        for connection in list(self._connections):
            connection.finish()
        if self._connections:
            try:
                await asyncio.wait_for(self._all_closed.wait(), self.limits.drain_seconds)
            except TimeoutError:
                logger.warning("%d connections were cut off", len(self._connections))

    async def sweep(self) -> None:
        """Refuse requests that do not arrive in time, again and again."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            oldest = loop.time() - self.limits.request_seconds
            for connection in list(self._connections):
                connection.refuse_if_begun_before(oldest)


class Connection(asyncio.Protocol):
    """One client: requests one after the other."""

    _transport: asyncio.Transport

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._now = asyncio.get_running_loop().time
        self._parser = httptools.HttpRequestParser(self)
        self._begun: float | None = None
        self._refused = False
        self._complete = True
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept a client, or send it away."""
        self._transport = cast("asyncio.Transport", transport)
        if not self._server.opened(self):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "There are too many connections.")

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the client."""
        del error
        self._forget_body()
        self._server.closed(self)

    def pause_writing(self) -> None:
        """Read no more requests while the client does not read answers."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on reading."""
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Parse; complete requests are answered from within."""
        if self._begun is None:
            self._begun = self._now()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._refused:
                self._refuse(HTTPStatus.BAD_REQUEST, f"This is no HTTP request: {error}")
            self._transport.close()
        if self._complete:
            self._begun = None

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Start anew."""
        self._complete = False
        self._url, self._headers, self._head_bytes = b"", {}, 0

    def on_url(self, part: bytes) -> None:
        """Collect the path."""
        self._url += part
        self._count_head(len(part))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        self._count_head(len(name) + len(value))

    def on_headers_complete(self) -> None:
        """Refuse what is too large before it is read."""
        headers = self._headers
        length = headers.get("content-length", "")
        if length and int(length) > self._server.limits.body_bytes:
            self._refuse_body()
        elif "expect" in headers and not self._refused:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Collect the body, within limits."""
        if self._refused:
            return
        self._body.append(part)
        self._body_bytes += len(part)
        self._server.buffered_bytes += len(part)
        if self._body_bytes > self._server.limits.body_bytes:
            self._refuse_body()
        elif self._server.buffered_bytes > self._server.limits.buffered_bytes:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too much is waiting to be answered.")

    def on_message_complete(self) -> None:
        """Answer the request."""
        self._complete = True
        body = b"".join(self._body)
        self._forget_body()
        if self._refused:
            self._transport.close()
            return
        self._begun = None
        method = self._parser.get_method().decode("ascii")
        path = self._url.partition(b"?")[0].decode("latin-1")
        answer = self._server.application.answer(Request(method, path, self._headers, body))
        self._send(answer, stay=self._parser.should_keep_alive() and not self._server.draining)

    # What the server calls.

    def finish(self) -> None:
        """Close after the request that has begun, if one has."""
        if self._begun is None:
            self._transport.close()

    def refuse_if_begun_before(self, moment: float) -> None:
        """Refuse a request that takes too long to arrive."""
        if self._begun is None or self._begun >= moment:
            return
        if not self._refused:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.")
        self._transport.close()

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._server.limits.head_bytes and not self._refused:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            self._refuse(status, f"At most {self._server.limits.head_bytes} bytes of headers.")
            self._transport.close()

    def _refuse_body(self) -> None:
        detail = f"The body may have {self._server.limits.body_bytes} bytes at most."
        self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer at once; what still arrives is dropped: a client that writes reads later."""
        self._refused = True
        self._begun = self._now()
        self._forget_body()
        self._send(problem(status, detail), stay=True)

    def _forget_body(self) -> None:
        self._server.buffered_bytes -= self._body_bytes
        self._body, self._body_bytes = [], 0

    def _send(self, answer: Answer, *, stay: bool) -> None:
        closing = b"" if stay and not self._refused else b"connection: close\r\n"
        self._transport.write(answer.head() + closing + b"\r\n" + answer.body)
        if not stay:
            self._transport.close()
