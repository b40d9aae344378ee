"""Decides whether an endpoint answers as its model did when it was built, number for number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol, TypedDict

from lambdas.common.errors import DocumentedError
from lambdas.common.model_records import ModelRecord
from lambdas.inference.contract import VerifyDeploymentRequest, VerifyDeploymentResponse


class DeploymentVerificationError(DocumentedError):
    """Endpoint {endpoint_name} does not answer as version {version} did: {difference}."""


class GoldenRecord(TypedDict):
    """A request, and the answer that the model gave to it when it was built."""

    request: dict[str, Any]
    prediction: dict[str, Any]


class Models(Protocol):
    """The model repository."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""


class GoldenRecords(Protocol):
    """The golden records of a model."""

    def read(self, uri: str) -> Sequence[GoldenRecord]:
        """Read them all."""


class Endpoint(Protocol):
    """An endpoint that is in service."""

    def ask(self, endpoint_name: str, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request."""


def verify_deployment(
    request: VerifyDeploymentRequest, models: Models, golden: GoldenRecords, endpoint: Endpoint
) -> VerifyDeploymentResponse:
    """Ask every golden request; raises ``DeploymentVerificationError`` at the first difference."""
    record = models.version(request["version"])
    if record is None:
        raise DeploymentVerificationError(difference="no such version is registered", **request)
    records = golden.read(record["golden_uri"])
    if not records:
        raise DeploymentVerificationError(
            difference=f"{record['golden_uri']} holds no request", **request
        )
    for number, expected in enumerate(records, start=1):
        answer = endpoint.ask(request["endpoint_name"], expected["request"])
        difference = difference_of(expected, answer, request["version"])
        if difference:
            raise DeploymentVerificationError(
                difference=f"golden request {number}: {difference}", **request
            )
    return {"version": request["version"], "verified": len(records)}


def difference_of(expected: GoldenRecord, answer: dict[str, Any], version: int) -> str:
    """Say in what an answer differs from the golden one; nothing when they are equal."""
    if str(answer.get("model_version")) != str(version):
        return f"version {answer.get('model_version')} answered"
    predictions = answer.get("predictions", [])
    if len(predictions) != 1:
        return f"{len(predictions)} predictions came back for one instance"
    golden, given = expected["prediction"], predictions[0]
    for name in sorted({*golden, *given}):
        if golden.get(name) != given.get(name):
            return f"{name} is {_text(given.get(name))}, but was {_text(golden.get(name))}"
    return ""


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
