"""What the API's function counts of each version's answers, and what that costs."""

from __future__ import annotations

import pytest

from lambdas.inference.serve_predictions.evidence import Evidence, WatchedEndpoint
from lambdas.inference.serve_predictions.refusals import (
    EndpointRefusedError,
    EndpointUnavailableError,
)

PROBLEM = {"type": "t", "title": "t", "status": 400, "detail": "d"}


class FakeStore:
    def __init__(self):
        self.written = []

    def add(self, version, counts):
        self.written.append((version, dict(counts)))


class FakeEndpoint:
    """Answers what it is told to, or raises it."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def ask(self, body):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def answer(version, *scores):
    return {"model_version": version, "predictions": [{"probability": s} for s in scores]}


def watched(*answers, clock=None):
    store, clock = FakeStore(), clock or Clock()
    evidence = Evidence(store, lambda work: work(), clock)
    return WatchedEndpoint(FakeEndpoint(*answers), evidence, Clock()), store


def test_an_answer_counts_for_the_version_that_gave_it():
    endpoint, store = watched(answer("3", 0.25, 0.9))
    endpoint.ask(b"")
    assert store.written == [("3", {"answers": 1, "latency_0": 1, "score_2": 1})]


@pytest.mark.parametrize("score", [None, float("nan"), float("inf"), 1.5, -0.1, "0.5"])
def test_an_answer_that_is_no_probability_is_a_failure_and_never_given(score):
    endpoint, store = watched(answer("3", 0.5, score))
    with pytest.raises(EndpointUnavailableError, match="no probability"):
        endpoint.ask(b"")
    assert store.written == [("3", {"failures": 1})]


@pytest.mark.parametrize(
    ("error", "written"),
    [
        (EndpointRefusedError(PROBLEM, "3"), [("3", {"refusals": 1})]),
        (EndpointRefusedError(PROBLEM), [("unknown", {"refusals": 1})]),
        (EndpointUnavailableError("x", model_version="3"), [("3", {"failures": 1})]),
        (EndpointUnavailableError("x"), [("unknown", {"failures": 1})]),
        (EndpointUnavailableError("none yet", is_failure=False), []),
    ],
)
def test_errors_count_for_whom_they_name(error, written):
    endpoint, store = watched(error)
    with pytest.raises(type(error)):
        endpoint.ask(b"")
    assert store.written == written


def test_counters_are_written_every_few_seconds_and_sooner_when_two_versions_answer():
    clock = Clock()
    endpoint, store = watched(*[answer("1", 0.5)] * 50, answer("2", 0.5), clock=clock)
    for _ in range(50):
        endpoint.ask(b"")
        clock.now += 0.05
    assert len(store.written) == 1
    endpoint.ask(b"")
    assert [version for version, _ in store.written] == ["1", "1", "2"]
    assert sum(counts["answers"] for _, counts in store.written) == 51
