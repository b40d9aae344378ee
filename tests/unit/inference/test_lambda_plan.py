"""The deployment's plan: the lease, and what an endpoint in each of its states makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.common.claims import CLAIMED, RELEASED, Claim
from lambdas.inference.contract import EndpointBusyError
from lambdas.inference.deployment_lease import LEASE, DeploymentConflictError, release_lease
from lambdas.inference.endpoint import Endpoint
from lambdas.inference.guardrails import Guardrails
from lambdas.inference.plan_deployment.logic import (
    BakeTimeError,
    DeploymentSetup,
    EndpointStuckError,
    Lease,
    ModelNotDeployableError,
    NoPreviousVersionError,
    NoVersionError,
    UnknownActionError,
    plan_deployment,
    resource_name,
)
from tests.unit.inference.deployment_fakes import (
    FakeClaims,
    FakeExecutions,
    FakeHosting,
    FakeModels,
    model,
)

GUARDRAILS = Guardrails(
    strategy="canary", step_percent=10, bake_seconds=60, smoke_test=True, alarms=("bad",)
)
SETUP = DeploymentSetup("demo", "endpoint-1", "{}", "fourblocks-test", GUARDRAILS)
REQUEST = {"execution_arn": "arn:x", "version": 1, "reason": "r", "requested_by": "me"}


def plan(
    endpoint=None, *, models=None, claims=None, running=(), trial=None, setup=SETUP, **request
):
    names = {"endpoint_1": endpoint, "endpoint_1_trial": trial}
    hosting = FakeHosting(**{name: each for name, each in names.items() if each})
    lease = Lease(claims or FakeClaims(), FakeExecutions(*running))
    known = models or FakeModels(model(1), model(2))
    return plan_deployment({**REQUEST, **request}, setup, known, hosting, lease)


def flags(planned):
    return planned["endpoint_exists"], planned["endpoint_failed"], planned["already_serving"]


def test_without_an_endpoint_one_is_created():
    assert flags(plan(None)) == (False, False, False)


def test_an_endpoint_in_service_is_moved():
    planned = plan(Endpoint("InService", "another"))
    assert flags(planned) == (True, False, False)
    assert planned["previous_endpoint_config_name"] == "another"


def test_an_endpoint_that_serves_this_model_stays():
    name = plan(None)["endpoint_config_name"]
    assert flags(plan(Endpoint("InService", name))) == (True, False, True)


def test_a_failed_endpoint_is_to_be_deleted_even_with_this_very_config():
    name = plan(None)["endpoint_config_name"]
    planned = plan(Endpoint("Failed", name))
    assert flags(planned) == (False, True, False)
    assert "previous_endpoint_config_name" not in planned


@pytest.mark.parametrize(
    "status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"]
)
def test_a_changing_endpoint_is_busy(status):
    with pytest.raises(EndpointBusyError, match=f"endpoint-1 is {status}"):
        plan(Endpoint(status, "another"))


@pytest.mark.parametrize("status", ["OutOfService", "UpdateRollbackFailed"])
def test_an_endpoint_that_only_people_can_repair_says_so(status):
    with pytest.raises(EndpointStuckError, match=f"{status}; repair or delete it"):
        plan(Endpoint(status, "another"))


def test_a_trial_endpoint_that_was_left_is_cleared_first():
    with pytest.raises(EndpointBusyError, match="endpoint-1-trial"):
        plan(trial=Endpoint("InService", "x"))


def test_a_new_version_is_tried_and_watched_and_may_be_rolled_back():
    planned = plan(Endpoint("InService", "another"), bake_seconds=7)
    routing = planned["deployment_config"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing == {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 7,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
    }
    rollback = planned["deployment_config"]["AutoRollbackConfiguration"]
    assert rollback == {"Alarms": [{"AlarmName": "bad"}]}
    assert planned["tried_first"]
    assert planned["guarded"]


SERVES_TWO = {"version": 2, "replaced_version": 1, "endpoint_config_name": "c-2"}


@pytest.mark.parametrize("to", [1, "previous"])
def test_the_way_back_goes_at_once_whatever_alarm_is_raised(to):
    models = FakeModels(model(1, "retired"), model(2, "deployed"), serving=SERVES_TWO)
    planned = plan(Endpoint("InService", "c-2"), models=models, action="rollback", to=to)
    assert planned["version"] == 1
    assert planned["champion"] == "2"
    assert "AutoRollbackConfiguration" not in planned["deployment_config"]
    assert (planned["tried_first"], planned["guarded"]) == (False, False)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"action": "rollback", "to": "previous"}, NoPreviousVersionError),
        ({"action": "rollback"}, NoVersionError),
        ({"version": "one"}, NoVersionError),
        ({"action": "explode"}, UnknownActionError),
        ({"bake_seconds": 3601}, BakeTimeError),
        ({"bake_seconds": "long"}, BakeTimeError),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_by_its_value(request_, error):
    with pytest.raises(error):
        plan(**request_)


def test_a_blocked_version_is_not_deployed():
    with pytest.raises(ModelNotDeployableError, match="blocked"):
        plan(models=FakeModels(model(1, "blocked")))


def test_one_of_ten_deployments_wins_and_nine_get_a_clear_conflict():
    claims, executions = FakeClaims(), [f"arn:{number}" for number in range(10)]
    outcomes = []
    for execution in executions:
        try:
            plan(claims=claims, running=executions, execution_arn=execution)
        except DeploymentConflictError as conflict:
            outcomes.append(str(conflict))
    assert len(outcomes) == 9
    assert set(outcomes) == {
        "Version 1 is being deployed already, by arn:0; wait for its end and try again."
    }


def test_the_lease_of_a_dead_execution_is_taken_over_with_a_higher_number():
    claims = FakeClaims(Claim(LEASE, CLAIMED, "arn:dead", {"version": 2, "fence": 4}))
    planned = plan(claims=claims)
    held = claims.get(LEASE)
    assert held.is_held_by("arn:x")
    assert held.facts["fence"] == 5
    assert [each["endpoint_config_name"][:19] for each in planned["leftovers"]] == [
        "fourblocks-test-v2-"
    ]
    # The plan is made again while the endpoint is busy: it still knows what was left.
    assert plan(claims=claims)["leftovers"] == planned["leftovers"]


def test_what_served_on_an_endpoint_that_is_gone_is_left_over():
    models = FakeModels(model(1), model(2, "deployed"), serving=SERVES_TWO)
    (left,) = plan(None, models=models)["leftovers"]
    assert left["endpoint_config_name"].startswith("fourblocks-test-v2-")
    assert plan(Endpoint("InService", "c-2"), models=models)["leftovers"] == []


def test_who_has_lost_the_lease_cannot_let_it_go():
    claims = FakeClaims(Claim(LEASE, CLAIMED, "arn:x", {"fence": 1}))
    assert not release_lease(claims, "arn:dead")
    assert release_lease(claims, "arn:x")
    assert claims.get(LEASE).state == RELEASED


def repair(claims, models):
    return plan(
        Endpoint("InService", "c-2"),
        claims=claims,
        models=models,
        action="repair",
        aborted="arn:dead",
        execution_arn="arn:repair",
    )


def test_a_repair_serves_what_is_recorded():
    models = FakeModels(model(1), model(2, "deployed"), serving=SERVES_TWO)
    claims = FakeClaims(Claim(LEASE, CLAIMED, "arn:dead", {"version": 1, "fence": 1}))
    planned = repair(claims, models)
    assert planned["version"] == 2
    assert len(planned["leftovers"]) == 1
    assert repair(claims, models) == planned


def test_a_repair_ends_the_first_deployment_of_all():
    claims = FakeClaims(Claim(LEASE, CLAIMED, "arn:dead", {"version": 1, "fence": 1}))
    assert repair(claims, FakeModels(model(1)))["version"] == 1


@pytest.mark.parametrize(
    "claim",
    [
        None,
        Claim(LEASE, RELEASED, "arn:dead", {}),
        Claim(LEASE, CLAIMED, "arn:another", {"version": 1}),
        Claim(LEASE, CLAIMED, "arn:dead", {"version": 1, "repairs": 3}),
    ],
)
def test_a_repair_leaves_alone_what_is_in_order_or_beyond_it(claim):
    claims = FakeClaims(*[claim] if claim else [])
    assert repair(claims, FakeModels(model(1)))["nothing_to_do"]


def test_names_fit_whatever_the_prefix():
    name = resource_name("x" * 100, 12, ["content"])
    assert len(name) == 63
    assert name.startswith("x" * 40)


def test_a_pipeline_has_a_container_a_step_of_the_same_image_and_artefact():
    (one,) = plan()["containers"]
    setup = replace(SETUP, serving_containers="pipeline")

    planned = plan(setup=setup)

    steps = [each["Environment"].pop("SERVING_STEP") for each in planned["containers"]]
    assert steps == [each.pop("ContainerHostname") for each in planned["containers"]]
    assert steps == ["pre", "inference", "post"]
    assert planned["containers"] == [one] * 3
    assert planned["model_name"] != plan()["model_name"]
