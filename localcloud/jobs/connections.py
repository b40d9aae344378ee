"""Keeps idle keep-alive connections of jobs from holding up the end of the gateway."""

import asyncio.constants

SHUTDOWN_SECONDS = 0.5


def do_not_wait_for_idle_clients() -> None:
    """Close TLS connections without waiting for clients that are not listening.

    Every job, container and boto3 client keeps a connection open. asyncio would wait 30 seconds for
    each of them to say goodbye, longer than `down` waits before it kills what has not ended.
    """
    asyncio.constants.SSL_SHUTDOWN_TIMEOUT = SHUTDOWN_SECONDS
