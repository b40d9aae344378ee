"""Steady load on an endpoint: every answer counted, by what it says and by its error."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from tests.e2e.localcloud.conftest import Cloud


class Load:
    """Asks an endpoint from several threads until it is stopped, or so many times."""

    def __init__(self, cloud: Cloud, endpoint: str, *, threads: int = 4, pause: float = 0.0):
        self.answers: Counter[float] = Counter()
        self.errors: Counter[str] = Counter()
        self._runtime = cloud.client("sagemaker-runtime")
        self._endpoint = endpoint
        self._pause = pause
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads)
        self._running = [self._pool.submit(self._ask_on) for _ in range(threads)]

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for each in self._running:
            each.result()
        self._pool.shutdown()

    @property
    def asked(self) -> int:
        """Tell how many requests came to an end."""
        return self.answers.total() + self.errors.total()

    def _ask_on(self) -> None:
        while not self._stopping.is_set():
            answer, error = self._ask()
            with self._lock:
                if error:
                    self.errors[error] += 1
                else:
                    self.answers[answer] += 1
            self._stopping.wait(self._pause)

    def _ask(self) -> tuple[Any, str]:
        try:
            given = self._runtime.invoke_endpoint(EndpointName=self._endpoint, Body=b"{}")
        except ClientError as error:
            return None, error.response["Error"]["Code"]
        return json.loads(given["Body"].read())["constant"], ""


def watched(cloud: Cloud, endpoint: str) -> tuple[dict[str, Any], list[str], list[str]]:
    """Follow an update to its end: the endpoint, the statuses and the stages that were seen."""
    statuses, stages = [], []
    sagemaker = cloud.client("sagemaker")
    deadline = time.monotonic() + 60
    while True:
        told = sagemaker.describe_endpoint(EndpointName=endpoint)
        status = told["EndpointStatus"]
        if status not in statuses:
            statuses.append(status)
        for variant in told.get("PendingDeploymentSummary", {}).get("ProductionVariants", []):
            stages += [s["Status"] for s in variant["VariantStatus"] if s["Status"] not in stages]
        if status in {"InService", "Failed"}:
            return told, statuses, stages
        assert time.monotonic() < deadline, told
