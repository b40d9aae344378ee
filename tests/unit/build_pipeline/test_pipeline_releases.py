"""Training and proof of a release: what ends it, what does not, and what is said."""

from __future__ import annotations

import json

import pytest

from pipeline_code.build_pipeline import executions
from pipeline_code.build_pipeline.executions import Workflow
from pipeline_code.build_pipeline.training_job import (
    ASKS,
    TrainingError,
    judged,
    refresh,
    train,
    version_of,
)
from pipeline_code.build_pipeline.verify_job import (
    Answer,
    VerificationError,
    check_answers,
    check_refusals,
)

PLAN = {"training_id": "t-1", "members": []}
BATCH = {"batch_id": "b-1", "waiting_for": [], "detail": "d"}


def event(kind, name, **details):
    if kind == "entered":
        return {"stateEnteredEventDetails": {"name": name, "input": json.dumps(details)}}
    return {"stateExitedEventDetails": {"name": name, "output": json.dumps(details)}}


class FakeSteps:
    """Executions that go as a test says, one after the other."""

    def __init__(self, *ends):
        self.ends = list(ends)
        self.started = []
        self.running = []

    def start_execution(self, **given):
        self.started.append(json.loads(given["input"]))
        return {"executionArn": str(len(self.started) - 1)}

    def describe_execution(self, **given):
        return {"status": self.ends[int(given["executionArn"])][0]}

    def get_paginator(self, name):
        return self

    def paginate(self, **given):
        return [{"events": self.ends[int(given["executionArn"])][1]}]

    def list_executions(self, **given):
        return {"executions": [{"executionArn": each} for each in self.running]}


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch):
    monkeypatch.setattr(executions, "POLL_SECONDS", 0.0)


def test_a_new_dataset_or_none_is_fine():
    for status in ("ready", "unchanged", "waiting"):
        steps = FakeSteps(("SUCCEEDED", [event("left", "Collect", **BATCH, status=status)]))
        assert refresh(Workflow(steps, "arn")) == f"{status}: d"


def test_a_batch_that_another_run_has_is_asked_for_again():
    taken = ("SUCCEEDED", [event("left", "Collect", **BATCH, status="taken")])
    ready = ("SUCCEEDED", [event("left", "Collect", **BATCH, status="ready")])
    steps = FakeSteps(taken, ready)

    assert refresh(Workflow(steps, "arn")).startswith("ready")
    assert len(steps.started) == 2


def test_a_failed_data_pipeline_says_why():
    cause = json.dumps({"errorMessage": "source a lacks column b"})
    failed = {"executionFailedEventDetails": {"error": "BatchRejected", "cause": cause}}
    steps = FakeSteps(("FAILED", [failed]))

    with pytest.raises(TrainingError, match="BatchRejected: source a lacks column b"):
        refresh(Workflow(steps, "arn"))


def test_a_training_that_is_queued_is_waited_for():
    queued = ("SUCCEEDED", [event("left", "Plan", **PLAN, status="queued")])
    known = event("left", "Plan", **PLAN, status="unchanged", registered_version=7)
    steps = FakeSteps(queued, ("SUCCEEDED", [known]))

    execution = train(Workflow(steps, "arn"), {"reason": "push"})

    assert version_of(execution) == 7
    assert steps.started == [{"reason": "push"}, {"reason": "push"}]


def test_a_training_that_asks_a_person_is_not_waited_for():
    planned = event("left", "Plan", **PLAN, status="ready")
    registered = event("left", "Register", version=3, model_id="m", state="candidate")
    steps = FakeSteps(("RUNNING", [planned, registered, event("entered", ASKS)]))

    execution = train(Workflow(steps, "arn", asks_in=ASKS), {})

    assert version_of(execution) == 3


def test_a_rejected_model_ends_the_release_with_its_reasons():
    record = {"version": 3, "state": "rejected", "reasons": ["auc .61 is below .74", "too big"]}

    with pytest.raises(TrainingError, match=r"3 is rejected: auc \.61 is below \.74; too big"):
        judged(record)


@pytest.mark.parametrize("state", ["deployed", "approved", "retired", "candidate"])
def test_any_other_model_does_not(state):
    assert state in judged({"version": 3, "state": state, "reasons": ["better"]})


def answer(**changes):
    body = {"predictions": [{"probability": 0.5}], "model_version": "3"}
    return Answer(200, body | changes)


def test_an_answer_by_the_serving_version_is_a_proof():
    check_answers(answer(), 1, 3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Answer(500, "no"), "answered 500"),
        (answer(predictions=[]), "1 instances were asked about"),
        (answer(predictions=[{"probability": 1.5}]), r"1\.5"),
        (answer(model_version="2"), "Version 2 answers; version 3 serves"),
    ],
)
def test_any_other_answer_is_not(given, words):
    with pytest.raises(VerificationError, match=words):
        check_answers(given, 1, 3)


class FakeApi:
    """An API that refuses whatever it is asked, with one status signed and one unsigned."""

    def __init__(self, signed, unsigned):
        self.statuses = {True: signed, False: unsigned}

    def ask(self, document, *, signed=True):
        return Answer(self.statuses[signed], {})


def test_an_api_that_refuses_as_its_document_says_is_sound():
    check_refusals(FakeApi(400, 401))


@pytest.mark.parametrize(
    ("api", "words"),
    [
        (FakeApi(200, 401), "signed=True: answered 200, not 400"),
        (FakeApi(400, 400), "signed=False: answered 400, not 401"),
    ],
)
def test_an_api_that_takes_what_it_must_not_take_is_found(api, words):
    with pytest.raises(VerificationError, match=words):
        check_refusals(api)
