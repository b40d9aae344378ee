"""The gateway's process: ministack with our services plugged in, served over TLS on loopback.

Started by `localcloud.lifecycle` under `localcloud/guard.py`, with its whole configuration in the
environment. It reports on the inherited descriptor LOCALCLOUD_READY_FD: the port once it answers,
or what keeps it from starting.
"""

import asyncio
import asyncio.constants
import logging
import os
import resource
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from localcloud.environment import STATE_VARIABLE
from localcloud.state_folder import StateFolder

LOG = logging.getLogger(__name__)
TLS_GOODBYE_SECONDS = 0.5
STOP_SECONDS = 2
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def main() -> None:
    """Serve until SIGTERM, then let ministack store its state."""
    listener = socket.socket(fileno=int(os.environ.pop("LOCALCLOUD_LISTENER_FD")))
    ready = int(os.environ.pop("LOCALCLOUD_READY_FD"))
    os.set_inheritable(listener.fileno(), False)
    os.set_inheritable(ready, False)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    asyncio.run(_serve(listener, ready))
    StateFolder(Path(os.environ[STATE_VARIABLE])).forget_running()
    logging.shutdown()
    # Worker threads of ministack may still wait for something; its state is stored.
    os._exit(0)


async def _serve(listener: socket.socket, ready: int) -> None:
    # Imported late: ministack reads the environment when it is imported.
    from hypercorn.asyncio import serve  # noqa: PLC0415
    from hypercorn.config import Config  # noqa: PLC0415
    from ministack import app as ministack  # noqa: PLC0415

    from localcloud.gateway import install  # noqa: PLC0415

    installed = install()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    _part_with_silent_clients(loop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.certfile = os.environ["MINISTACK_SSL_CERT"]
    config.keyfile = os.environ["MINISTACK_SSL_KEY"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = STOP_SECONDS
    config.accesslog = None
    app = _announcing(ministack.app, ready, installed.stop)

    async def drained() -> None:
        await stopping.wait()
        await asyncio.to_thread(installed.drain)

    try:
        await serve(app, config, shutdown_trigger=drained)
    except ssl.SSLError as error:
        # Of a client that still talks after our goodbye; hypercorn raises it when all is stored.
        if not stopping.is_set():
            raise
        LOG.debug("a connection did not end well: %s", error)


def _part_with_silent_clients(loop: asyncio.AbstractEventLoop) -> None:
    """Close TLS connections without waiting for clients that do not listen, and without an error.

    Every job and boto3 client keeps an idle connection. asyncio would wait 30 seconds for each of
    them to say goodbye, longer than `down` waits, and hypercorn leaves the timeout unhandled.
    """
    asyncio.constants.SSL_SHUTDOWN_TIMEOUT = TLS_GOODBYE_SECONDS

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, TimeoutError) and str(error) == "SSL shutdown timed out":
            LOG.debug("a client did not say goodbye")
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)


def _announcing(app: Any, ready: int, stop_services: Callable[[], None]) -> Any:
    """Wrap an ASGI application: report when it has started, stop our services before it stores."""

    async def wrapped(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            receive, send = _stopping_first(receive, stop_services), _reporting(send, ready)
        await app(scope, receive, send)

    return wrapped


def _stopping_first(receive: Receive, stop_services: Callable[[], None]) -> Receive:
    async def receive_lifespan() -> dict[str, Any]:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await asyncio.to_thread(stop_services)
        return message

    return receive_lifespan


def _reporting(send: Send, ready: int) -> Send:
    async def send_lifespan(message: dict[str, Any]) -> None:
        await send(message)
        if message["type"] == "lifespan.startup.complete":
            os.write(ready, b"ready")
            os.close(ready)

    return send_lifespan


if __name__ == "__main__":
    main()
