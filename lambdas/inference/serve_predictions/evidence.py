"""Counts what each model version answers, so that a canary can be judged; off the answer's path.

Counters are added up in memory and written by a thread, at most once a second while something is
wrong or two versions answer, and every few seconds otherwise: the cost is bounded whatever the
load. What an instance that is stopped has not written is lost: evidence, not bookkeeping.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.observability import JsonLogger
from lambdas.inference.canary_evidence import (
    ANSWERS,
    FAILURES,
    REFUSALS,
    UNKNOWN,
    evidence_key,
    latency_counter,
    score_counter,
)
from lambdas.inference.serve_predictions.refusals import (
    EndpointRefusedError,
    EndpointUnavailableError,
)
from pipeline_code.inference.contract import PredictionResponse

LOGGER = JsonLogger("serve_predictions")
URGENT_SECONDS = 1.0
CALM_SECONDS = 5.0
KEPT_SECONDS = 90 * 86_400


class Endpoint(Protocol):
    """The model endpoint."""

    def ask(self, body: bytes) -> PredictionResponse:
        """Send a request."""


class Store(Protocol):
    """Where counters are kept."""

    def add(self, version: str, counts: Mapping[str, int]) -> None:
        """Add to a version's counters."""


class Evidence:
    """Counters of this instance that are not written yet."""

    def __init__(
        self,
        store: Store,
        start: Callable[[Callable[[], None]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._start = start
        self._clock = clock
        self._counts: dict[str, Counter[str]] = {}
        self._lock = threading.Lock()
        self._written = -CALM_SECONDS

    def count(self, version: str, *names: str) -> None:
        """Count a request, and have the counters written when it is time."""
        with self._lock:
            self._counts.setdefault(version, Counter()).update(names)
            if self._clock() - self._written < self._pause():
                return
            self._written = self._clock()
            counts, self._counts = self._counts, {}
        self._start(lambda: self._write(counts))

    def _pause(self) -> float:
        failing = any(counts[FAILURES] for counts in self._counts.values())
        return URGENT_SECONDS if failing or len(self._counts) > 1 else CALM_SECONDS

    def _write(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        for version, own in counts.items():
            try:
                self._store.add(version, own)
            except (BotoCoreError, ClientError) as error:
                LOGGER.failure("evidence not written", error, version=version)


class WatchedEndpoint:
    """An endpoint whose answers are counted by the version that gave them."""

    def __init__(
        self, endpoint: Endpoint, evidence: Evidence, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._endpoint = endpoint
        self._evidence = evidence
        self._clock = clock

    def ask(self, body: bytes) -> PredictionResponse:
        """Send a request and count what becomes of it."""
        started = self._clock()
        try:
            response = self._endpoint.ask(body)
        except EndpointRefusedError as refusal:
            self._evidence.count(refusal.model_version or UNKNOWN, REFUSALS)
            raise
        except EndpointUnavailableError as error:
            if error.is_failure:
                self._evidence.count(error.model_version or UNKNOWN, FAILURES)
            raise
        milliseconds = (self._clock() - started) * 1000
        version = str(response["model_version"])
        scores = [prediction.get("probability") for prediction in response["predictions"]]
        if not all(map(_is_probability, scores)):
            self._evidence.count(version, FAILURES)
            raise EndpointUnavailableError("The model's answer is no probability.")
        # Only the first counts: predictions of one request are too much alike to be evidence each.
        first = [score_counter(float(score)) for score in scores[:1]]
        self._evidence.count(version, ANSWERS, latency_counter(milliseconds), *first)
        return response


class DynamoEvidence:
    """Counters in DynamoDB, added to atomically."""

    def __init__(self, client: Any, table: str, endpoint_name: str) -> None:
        self._client = client
        self._table = table
        self._endpoint_name = endpoint_name

    def add(self, version: str, counts: Mapping[str, int]) -> None:
        """Add to a version's counters."""
        names = {f"#n{number}": name for number, name in enumerate(counts)}
        values = {f":n{number}": {"N": str(value)} for number, value in enumerate(counts.values())}
        added = ", ".join(f"#n{number} :n{number}" for number in range(len(counts)))
        key = evidence_key(self._endpoint_name, version)
        self._client.update_item(
            TableName=self._table,
            Key={name: {"S": value} for name, value in key.items()},
            UpdateExpression=f"ADD {added} SET expires_at = :expires",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={
                **values,
                ":expires": {"N": str(int(time.time()) + KEPT_SECONDS)},
            },
        )


def in_background(work: Callable[[], None]) -> None:
    """Do something beside the answer."""
    threading.Thread(target=work, daemon=True).start()


def _is_probability(score: object) -> bool:
    return isinstance(score, int | float) and math.isfinite(score) and 0.0 <= score <= 1.0
