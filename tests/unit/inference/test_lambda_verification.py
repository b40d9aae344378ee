"""Verification: equal to the last digit, or the deployment is named wrong."""

from __future__ import annotations

import pytest

from lambdas.inference.verify_deployment.logic import (
    DeploymentVerificationError,
    verify_deployment,
)

ANSWER = {"probability": 0.1 + 0.2, "base": -1.0, "members": {}, "missing_sources": []}
REQUEST = {"version": 3, "endpoint_name": "e"}


class FakeModels:
    def version(self, version):
        return {"version": 3, "golden_uri": "s3://m/golden.jsonl"} if version == 3 else None


class FakeGoldenRecords:
    def __init__(self, records):
        self.records = records

    def read(self, uri):
        return {"s3://m/golden.jsonl": self.records}[uri]


class FakeEndpoint:
    def __init__(self, answer=None, version="3"):
        self.answer = ANSWER if answer is None else answer
        self.version = version

    def ask(self, endpoint_name, request):
        return {"model_version": self.version, "predictions": [self.answer]}


def verify(endpoint, records=2):
    golden = [{"request": {"instances": [{}]}, "prediction": ANSWER}] * records
    return verify_deployment(REQUEST, FakeModels(), FakeGoldenRecords(golden), endpoint)


def test_equal_answers_verify():
    assert verify(FakeEndpoint()) == {"version": 3, "verified": 2}


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        (
            FakeEndpoint({**ANSWER, "probability": 0.3}),
            r"request 1: probability is 0\.3, but was 0\.30000000000000004",
        ),
        (FakeEndpoint({**ANSWER, "missing_sources": ["b"]}), "missing_sources"),
        (FakeEndpoint({**ANSWER, "extra": 1}), "extra is 1, but was null"),
        (FakeEndpoint(version="2"), "version 2 answered"),
    ],
)
def test_a_difference_is_named(endpoint, said):
    with pytest.raises(DeploymentVerificationError, match=said):
        verify(endpoint)


def test_nothing_to_compare_is_not_a_verification():
    with pytest.raises(DeploymentVerificationError, match="holds no request"):
        verify(FakeEndpoint(), records=0)


def test_an_unregistered_version_is_not_verified():
    with pytest.raises(DeploymentVerificationError, match="no such version"):
        verify_deployment(
            {"version": 9, "endpoint_name": "e"},
            FakeModels(),
            FakeGoldenRecords([]),
            FakeEndpoint(),
        )
