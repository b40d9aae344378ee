"""The beginning and the end of the gateway, as seen by the jobs that hold connections to it."""

import asyncio.constants
import os

import urllib3

SHUTDOWN_SECONDS = 0.5
HEALTH_PATH = "/_ministack/health"
START_RETRIES = urllib3.Retry(total=30, backoff_factor=0.05, backoff_max=1.0)


def do_not_wait_for_idle_clients() -> None:
    """Close TLS connections without waiting for clients that are not listening.

    Every job, container and boto3 client keeps a connection open. asyncio would wait 30 seconds for
    each of them to say goodbye, longer than `down` waits before it kills what has not ended.
    """
    asyncio.constants.SSL_SHUTDOWN_TIMEOUT = SHUTDOWN_SECONDS


def await_gateway() -> None:
    """Wait until the gateway answers: before that, stored roles and objects are not loaded."""
    pool = urllib3.PoolManager(ca_certs=os.environ["AWS_CA_BUNDLE"])
    pool.request("GET", os.environ["AWS_ENDPOINT_URL"] + HEALTH_PATH, retries=START_RETRIES)
    pool.clear()
