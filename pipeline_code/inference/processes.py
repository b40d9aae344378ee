"""One serving process a core: they share the loaded model's memory and one listening socket."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable

import uvloop

from pipeline_code.inference.http_server import Application, HttpServer, Limits

BACKLOG = 1024

logger = logging.getLogger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """Open the socket that all processes accept from."""
    listener = socket.create_server((host, port), backlog=BACKLOG)
    listener.setblocking(False)
    return listener


def serve_in_processes(
    application: Application, listener: socket.socket, limits: Limits, count: int
) -> int:
    """Serve until SIGTERM or SIGINT, or until a process dies; answer the exit status."""
    if count == 1:
        serve(application, listener, limits)
        return 0
    return _Family(lambda leash: serve(application, listener, limits, leash), count).run()


def serve(
    application: Application, listener: socket.socket, limits: Limits, leash: int | None = None
) -> None:
    """Serve in this process until told to stop; ``leash`` is a pipe that ends with the parent."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(application, listener, limits, leash))


async def _serve(
    application: Application, listener: socket.socket, limits: Limits, leash: int | None
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if leash is not None:
        loop.add_reader(leash, os._exit, 1)
    http = HttpServer(application, limits)
    server = await loop.create_server(http.connect, sock=listener, backlog=BACKLOG)
    sweeper = loop.create_task(http.sweep())
    await stop.wait()
    server.close()
    await http.drain()
    sweeper.cancel()


class _Family:
    """The parent: passes signals on, and ends with the first child that dies by itself."""

    def __init__(self, work: Callable[[int], None], count: int) -> None:
        self._work = work
        self._count = count
        self._children: set[int] = set()
        self._told_to_stop = False

    def run(self) -> int:
        """Start the children and wait for the end of all."""
        leash, held = os.pipe()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        for _ in range(self._count):
            self._children.add(self._fork(leash, held))
        status = 0
        while self._children:
            status = max(status, self._await_one())
        return status

    def _fork(self, leash: int, held: int) -> int:
        child = os.fork()
        if child:
            return child
        status = 1
        try:
            os.close(held)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            self._work(leash)
            status = 0
        except BaseException:
            logger.exception("a serving process failed")
        finally:
            os._exit(status)

    def _await_one(self) -> int:
        child, wait_status = os.wait()
        self._children.discard(child)
        code = os.waitstatus_to_exitcode(wait_status)
        if self._told_to_stop:
            return abs(code)
        logger.error("serving process %d ended with %d: the container ends", child, code)
        self._stop()
        return abs(code) or 1

    def _stop(self) -> None:
        self._told_to_stop = True
        for child in self._children:
            os.kill(child, signal.SIGTERM)
