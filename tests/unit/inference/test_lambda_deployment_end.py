"""The end of a deployment: undone when it failed, tidied up in any case, the lease let go last."""

from __future__ import annotations

import json

import pytest

from lambdas.common.claims import CLAIMED, RELEASED, Claim
from lambdas.inference.contract import GAVE_UP, EndpointBusyError
from lambdas.inference.deployment_lease import LEASE
from lambdas.inference.end_deployment.logic import end_deployment
from lambdas.inference.endpoint import Endpoint
from tests.unit.inference.deployment_fakes import (
    FakeClaims,
    FakeHosting,
    FakeLedger,
    FakeModels,
    model,
    patiently,
)

PLAN = {
    "version": 2,
    "kind": "deploy",
    "champion": "1",
    "model_name": "m-2",
    "endpoint_config_name": "c-2",
    "endpoint_name": "e",
    "trial_endpoint_name": "e-trial",
    "previous_endpoint_config_name": "c-1",
    "leftovers": [],
}
SERVING = {"version": 1, "endpoint_config_name": "c-1"}


class World:
    """Everything that the end of a deployment touches."""

    def __init__(self, config="c-1", status="InService", serving=SERVING, **facts):
        self.hosting = FakeHosting(configs={"c-1": "m-1", "c-2": "m-2"}, e=Endpoint(status, config))
        self.models = FakeModels(model(1, "deployed"), model(2), serving=serving)
        self.claims = FakeClaims(Claim(LEASE, CLAIMED, "arn:x", {"fence": 1, **facts}))
        self.ledger = FakeLedger()

    def end(self, outcome, execution="arn:x", plan=None, **known):
        request = {
            "execution_arn": execution,
            "outcome": outcome,
            "input": {"plan": plan or PLAN, "requested_by": "me", "reason": "why", **known},
        }
        return end_deployment(request, self.claims, self.models, self.hosting, self.ledger)


def test_after_success_only_what_serves_is_left():
    world = World("c-2", serving={"version": 2, "endpoint_config_name": "c-2"})
    world.hosting.endpoints["e-trial"] = Endpoint("InService", "c-2")
    assert world.end("succeeded")["removed"] == ["c-1", "m-1"]
    assert world.hosting.configs == {"c-2": "m-2"}
    assert world.hosting.endpoints.keys() == {"e"}
    assert world.claims.get(LEASE).state == RELEASED


def test_what_the_judge_condemned_is_blocked_with_its_evidence():
    world = World()
    judge = {"verdict": "roll_back", "reason": "it fails more often", "compared": "2: 30 requests"}
    ended = world.end("failed", judge=judge, failure={"Error": GAVE_UP, "Cause": "c"})
    assert ended == {"ended": True, "removed": ["c-2", "m-2"], "blocked": True}
    assert world.models.records[2]["state"] == "blocked"
    (entry,) = world.ledger.entries.values()
    assert (entry["event_type"], entry["reason"]) == (
        "deployment_rolled_back",
        "it fails more often",
    )
    assert entry["evidence"]["compared"] == "2: 30 requests"


def test_an_alarm_that_rolled_back_without_the_judge_blocks_too():
    world = World()
    described = {"FailureReason": "One or more alarms went into ALARM state"}
    failure = {"Error": GAVE_UP, "Cause": "c"}
    world.end("failed", endpoint={"described": described}, failure=failure)
    assert world.models.records[2]["state"] == "blocked"


def test_wrong_answers_of_the_trial_block():
    world = World()
    cause = json.dumps({"errorMessage": "probability is 0.2, but was 0.1"})
    world.end("failed", failure={"Error": "DeploymentVerificationError", "Cause": cause})
    assert world.models.records[2]["state"] == "blocked"
    (entry,) = world.ledger.entries.values()
    assert (entry["event_type"], entry["reason"]) == (
        "deployment_failed",
        "probability is 0.2, but was 0.1",
    )


def test_a_machine_that_could_not_be_had_is_not_the_versions_fault():
    world = World()
    described = {"FailureReason": "Unable to provision requested ML compute capacity"}
    world.end("failed", endpoint={"described": described}, failure={"Error": GAVE_UP})
    assert world.models.records[2]["state"] == "approved"


def test_an_endpoint_that_has_moved_without_a_record_goes_back():
    world = World("c-2")
    with pytest.raises(EndpointBusyError):
        world.end("failed", failure={"Error": "States.Timeout"})
    assert world.claims.get(LEASE).state == CLAIMED
    patiently(lambda: world.end("failed", failure={"Error": "States.Timeout"}))
    assert world.hosting.endpoints["e"].config_name == "c-1"
    assert world.hosting.configs == {"c-1": "m-1"}


def test_a_first_version_that_failed_does_not_serve():
    world = World("c-2", serving=None)
    plan = {key: value for key, value in PLAN.items() if key != "previous_endpoint_config_name"}
    failure = {"Error": "DeploymentVerificationError", "Cause": "x"}
    patiently(lambda: world.end("failed", plan=plan, failure=failure))
    assert world.hosting.endpoints == {}


def test_an_endpoint_in_change_is_waited_for():
    world = World("c-1", status="RollingBack")
    with pytest.raises(EndpointBusyError, match="RollingBack"):
        world.end("failed", failure={"Error": GAVE_UP})


def test_who_holds_no_lease_touches_nothing():
    world = World()
    ended = world.end("failed", execution="arn:loser", failure={"Error": "Conflict"})
    assert ended == {"ended": False, "removed": [], "blocked": False}
    assert world.hosting.configs.keys() == {"c-1", "c-2"}
    assert world.claims.get(LEASE).is_held_by("arn:x")


def test_a_plan_that_failed_leaves_only_the_lease_to_let_go():
    world = World()
    request = {"execution_arn": "arn:x", "outcome": "failed", "input": {"failure": {}}}
    end_deployment(request, world.claims, world.models, world.hosting, world.ledger)
    assert world.claims.get(LEASE).state == RELEASED


def test_a_repair_says_what_it_has_undone():
    world = World("c-1", left=2)
    plan = {
        **PLAN,
        "version": 1,
        "kind": "repair",
        "model_name": "m-1",
        "endpoint_config_name": "c-1",
        "leftovers": [{"model_name": "m-2", "endpoint_config_name": "c-2"}],
    }
    assert world.end("succeeded", plan=plan)["removed"] == ["c-2", "m-2"]
    assert world.ledger.events() == [("deployment_undone", "v2")]
