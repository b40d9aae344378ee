"""Decisions by people: who may, on what, once, in time."""

from __future__ import annotations

import pytest

from lambdas.common.model_states import MAY_FOLLOW, StateChangeError
from lambdas.training_pipeline.ask_approval.logic import ApprovalTakenError, ask_approval
from lambdas.training_pipeline.decide_approval.logic import (
    Answer,
    BadDecisionError,
    Desk,
    NobodyError,
    NothingToDecideError,
    SamePersonError,
    WaitingIsOverError,
    decide,
    read_answer,
)
from lambdas.training_pipeline.record_approval.logic import (
    UnknownVersionError,
    record_approval,
)
from tests.unit.common.fakes import FakeEvents, FakeLedger, FakePackages

TRAINER = "arn:aws:iam::1:user/trainer"
APPROVER = "arn:aws:iam::1:user/approver"
NOW = "2026-01-01T12:00:00.000Z"
LATER = "2026-01-02T12:00:00.000Z"
BODY = {"decision": "approved", "reason": "looked at it", "model_id": "m-1"}


class FakeModels:
    def __init__(self, state="candidate"):
        self.record = {
            "version": 1,
            "model_id": "m-1",
            "state": state,
            "artefact_sha256": "0" * 64,
            "requested_by": TRAINER,
            "execution_arn": "run-1",
        }

    def version(self, version):
        return self.record if version == 1 else None

    def change_state(self, version, wanted):
        if self.record["state"] not in MAY_FOLLOW[wanted]:
            return False
        self.record["state"] = wanted
        return True


class FakeApprovals:
    def __init__(self, **changes):
        self.stored = {
            "version": 1,
            "model_id": "m-1",
            "state": "waiting",
            "token": "token-1",
            "execution_arn": "run-1",
            "requested_by": TRAINER,
            "asked_at": NOW,
            "expires_at": LATER,
            **changes,
        }

    def get(self, version):
        return dict(self.stored) if self.stored and version == 1 else None

    def ask(self, approval):
        if self.stored and self.stored["execution_arn"] != approval["execution_arn"]:
            return False
        self.stored = dict(approval)
        return True

    def decide(self, approval, state, approver, reason):
        if (self.stored["state"], self.stored["token"]) != ("waiting", approval["token"]):
            return False
        self.stored.update(state=state, approver=approver, reason=reason)
        return True

    def close(self, version, state):
        self.stored["state"] = state


class FakeWorkflows:
    def __init__(self, *waiting):
        self.waiting = set(waiting)
        self.told = []

    def tell(self, token, decision):
        if token not in self.waiting:
            return False
        self.waiting.remove(token)
        self.told.append((token, decision))
        return True


def desk(model_state="candidate", now=NOW, workflows=("token-1",), **approval):
    return Desk(
        models=FakeModels(model_state),
        approvals=FakeApprovals(**approval),
        workflows=FakeWorkflows(*workflows),
        packages=FakePackages(),
        ledger=FakeLedger(),
        clock=lambda: now,
    )


def answer(decision="approved", approver=APPROVER, version=1, model_id="m-1"):
    return Answer(version, model_id, decision, "looked at it", approver)


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_an_answer_reaches_the_workflow_that_waits_for_it(decision):
    at = desk()
    decide(answer(decision), at)
    assert at.workflows.told == [
        (
            "token-1",
            {"decision": decision, "approver": APPROVER, "reason": "looked at it"},
        )
    ]
    assert at.approvals.stored["approver"] == APPROVER


def test_who_asked_for_the_training_cannot_approve_it_and_the_attempt_is_recorded():
    at = desk()
    with pytest.raises(SamePersonError, match="somebody else"):
        decide(answer(approver=TRAINER), at)
    assert at.workflows.told == []
    assert at.approvals.stored["state"] == "waiting"
    assert [record["event_type"] for record in at.ledger.records] == ["approval_refused"]


def test_who_asked_for_the_training_may_take_it_back():
    at = desk()
    assert decide(answer("rejected", approver=TRAINER), at)["decision"] == "rejected"


@pytest.mark.parametrize(
    ("changes", "given"),
    [
        ({}, answer(version=2)),
        ({}, answer(model_id="m-2")),
        ({"execution_arn": "run-0"}, answer()),
        ({"state": "rejected"}, answer()),
        ({"state": "expired"}, answer()),
    ],
    ids=["another version", "another model", "another run", "decided", "expired"],
)
def test_a_stale_answer_has_no_effect(changes, given):
    at = desk(**changes)
    before = dict(at.approvals.stored)
    with pytest.raises(NothingToDecideError):
        decide(given, at)
    assert at.workflows.told == []
    assert at.approvals.stored == before
    assert at.models.record["state"] == "candidate"


def test_after_the_last_hour_there_is_nothing_to_decide():
    at = desk(now=LATER)
    with pytest.raises(WaitingIsOverError):
        decide(answer(), at)
    assert at.workflows.told == []


def test_a_workflow_that_is_gone_makes_the_approval_an_expired_one():
    at = desk(workflows=())
    with pytest.raises(WaitingIsOverError):
        decide(answer(), at)
    assert at.approvals.stored["state"] == "expired"


def test_the_same_answer_again_is_the_same_answer_and_another_one_is_refused():
    at = desk()
    first = decide(answer(), at)
    assert decide(answer(), at) == first
    assert len(at.workflows.told) == 1
    with pytest.raises(NothingToDecideError):
        decide(answer("rejected"), at)
    with pytest.raises(NothingToDecideError):
        decide(answer(approver="arn:aws:iam::1:user/third"), at)


def test_a_blocked_version_is_released_by_somebody_else_with_a_record():
    at = desk("blocked")
    decide(answer(), at)
    assert at.models.record["state"] == "approved"
    assert [record["event_type"] for record in at.ledger.records] == ["model_released"]
    with pytest.raises(SamePersonError):
        decide(answer(approver=TRAINER), desk("blocked"))


@pytest.mark.parametrize(
    ("version", "body", "field"),
    [
        ("x", BODY, "version"),
        ("1", None, "body"),
        ("1", {**BODY, "reason": " "}, "reason"),
        ("1", {**BODY, "reason": "x" * 1001}, "reason"),
        ("1", {k: v for k, v in BODY.items() if k != "reason"}, "reason"),
        ("1", {**BODY, "decision": "expired"}, "decision"),
        ("1", {**BODY, "model_id": None}, "model_id"),
    ],
)
def test_a_bad_decision_is_told_which_field_is_wrong(version, body, field):
    with pytest.raises(BadDecisionError, match=f"^{field} is"):
        read_answer(version, body, APPROVER)


def test_a_decision_by_nobody_knows_whom_is_refused():
    with pytest.raises(NobodyError, match="does not say who"):
        read_answer("1", BODY, "")


def ask(approvals, execution="run-1", number=1):
    request = {
        "task_token": f"token-{number}",
        "execution_arn": execution,
        "version": 1,
        "model_id": "m-1",
        "requested_by": TRAINER,
    }
    ledger, events = FakeLedger(), FakeEvents()
    answered = ask_approval(request, 24, approvals, ledger, events, lambda: NOW)
    return answered, ledger, events


def test_a_question_has_a_last_hour_a_record_and_an_event():
    approvals = FakeApprovals()
    answered, ledger, events = ask(approvals)
    assert answered["expires_at"] == LATER
    assert [record["event_type"] for record in ledger.records] == ["approval_requested"]
    assert events.announced[0][0] == "ApprovalRequested"


def test_a_repeated_question_takes_the_new_token_and_another_run_may_not_take_it_over():
    approvals = FakeApprovals()
    ask(approvals, number=2)
    assert approvals.stored["token"] == "token-2"
    with pytest.raises(ApprovalTakenError, match="run-1"):
        ask(approvals, execution="run-2")


def record(models, decision, version=1):
    request = {
        "version": version,
        "decision": decision,
        "approver": APPROVER,
        "reason": "because",
        "execution_arn": "run-1",
    }
    approvals, packages, ledger = FakeApprovals(), FakePackages(), FakeLedger()
    response = record_approval(request, models, approvals, packages, ledger)
    return response, approvals, ledger


@pytest.mark.parametrize(
    ("decision", "state", "event"),
    [
        ("approved", "approved", "model_approved"),
        ("rejected", "rejected", "model_rejected"),
        ("expired", "rejected", "approval_expired"),
    ],
)
def test_a_decision_becomes_the_state_with_a_record_once(decision, state, event):
    models = FakeModels()
    for _ in range(2):
        response, approvals, ledger = record(models, decision)
        assert response["state"] == models.record["state"] == state
        assert approvals.stored["state"] == decision
        assert [entry["event_type"] for entry in ledger.records] == [event]
        assert ledger.records[0]["actor"] == APPROVER


def test_a_version_that_was_blocked_meanwhile_is_not_rejected_behind_its_back():
    with pytest.raises(StateChangeError, match="is blocked"):
        record(FakeModels("blocked"), "rejected")


def test_an_unknown_version_is_not_decided_on():
    with pytest.raises(UnknownVersionError):
        record(FakeModels(), "approved", version=2)
