"""Requests generated from the OpenAPI document, sent to the deployed API, their answers judged."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.e2e.journey.api_client import TIMEOUT_SECONDS, ApiClient

REQUESTS = int(os.environ.get("API_REQUESTS", "200"))
"""Of all operations together; the proof takes 10,000."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
TOO_MANY = 429
CONNECTIONS = 6
NO_VERSION = 99_999_999
SEED = 20_130_101


@dataclass
class Answers:
    """What the API answered: how often with which status, and what was wrong with it."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    throttled: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, operation_id: str, status: int, fault: str) -> None:
        """Count an answer, and keep what was wrong with it."""
        with self.lock:
            self.statuses[operation_id, status] += 1
            if fault:
                self.faults.append(f"{operation_id}: {fault}")

    def of(self, operation_id: str) -> set[int]:
        """Give the statuses of one operation."""
        return {status for name, status in self.statuses if name == operation_id}

    def told(self) -> dict[str, int]:
        """Give all counts by operation and status."""
        return {f"{name} {status}": count for (name, status), count in self.statuses.items()}


def generate(clients: Callable[[str], ApiClient], document: dict[str, Any], count: int) -> Answers:
    """Send so many requests, spread evenly over the operations, half of them valid.

    `clients` makes a client with a connection of its own that may all at a path.
    """
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations()]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    each = max(1, round(count / len(operations) / len(modes)))
    answers = Answers()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        jobs = [
            threads.submit(_exercise, clients(found.path), cases(found, mode, each), answers)
            for found in operations
            for mode in modes
        ]
        for job in jobs:
            job.result()
    return answers


def cases(operation: Any, mode: Any, count: int) -> list[Any]:
    """Draw requests of an operation; in one thread, as Python 3.11 parses in one at a time."""
    drawn = []

    @seed(SEED)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def draw(case: Any) -> None:
        drawn.append(case)

    draw()
    return drawn


def _exercise(client: ApiClient, drawn: list[Any], answers: Answers) -> None:
    for case in drawn:
        _disarm(case)
        response = _send(client, case, answers)
        name = case.operation.definition.raw["operationId"]
        answers.add(name, response.status_code, _fault(case, response))


def _disarm(case: Any) -> None:
    """Let a rollback that would be right name a version that nobody has."""
    wish = case.body if case.path == "/rollbacks" and isinstance(case.body, dict) else {}
    if wish.get("to") == "previous" or isinstance(wish.get("to"), int):
        wish["to"] = NO_VERSION


def _send(client: ApiClient, case: Any, answers: Answers) -> requests.Response:
    """Send a request, again after the time that the API asks for if it is throttled."""
    while True:
        response = case.call(
            base_url=client.base(case.path),
            session=client.session,
            verify=client.session.verify,
            auth=client.signature(),
            timeout=TIMEOUT_SECONDS,
        )
        if response.status_code != TOO_MANY:
            return response
        answers.throttled += 1
        threading.Event().wait(float(response.headers["retry-after"][0]))


def _fault(case: Any, response: Any) -> str:
    """Say what is wrong with an answer."""
    said = response.text[:300]
    if "x-correlation-id" not in response.headers:
        return f"no correlation id: {response.status_code} {said}"
    if response.status_code in (401, 403) and "separation-of-duties" not in said:
        return f"{response.status_code} for who may: {case.as_curl_command()[:600]} {said}"
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as error:
        found = [str(each)[:500] for each in error.exceptions]
        return f"{response.status_code} {found} {said} {case.as_curl_command()[:600]}"
    return ""


def rate(started: float, count: int) -> str:
    """Say how fast it went."""
    return f"{count / (time.perf_counter() - started):.0f} requests/s"
