"""The beginning of the gateway, as seen by the jobs that need it."""

import os

import urllib3

HEALTH_PATH = "/_ministack/health"
START_RETRIES = urllib3.Retry(total=30, backoff_factor=0.05, backoff_max=1.0)


def await_gateway() -> None:
    """Wait until the gateway answers: before that, stored roles and objects are not loaded."""
    pool = urllib3.PoolManager(ca_certs=os.environ["AWS_CA_BUNDLE"])
    pool.request("GET", os.environ["AWS_ENDPOINT_URL"] + HEALTH_PATH, retries=START_RETRIES)
    pool.clear()
