"""The deployment's plan: what an endpoint in each of its states makes of it."""

from __future__ import annotations

import pytest

from lambdas.inference.contract import EndpointBusyError
from lambdas.inference.plan_deployment.logic import (
    DeploymentSetup,
    Endpoint,
    EndpointStuckError,
    plan_deployment,
)

SETUP = DeploymentSetup("demo", "endpoint-1", "{}", "fourblocks-test")
REQUEST = {"execution_arn": "arn:x", "version": 1, "reason": "r", "requested_by": "me"}
RECORD = {
    "version": 1,
    "state": "approved",
    "artefact_uri": "s3://models/m-1/model.tar.gz",
    "image_uri": "registry/image@sha256:1",
}


class FakeModels:
    """One registered version."""

    def version(self, version):
        return RECORD if version == RECORD["version"] else None


class FakeHosting:
    """An endpoint in some state, and neither models nor configs."""

    def __init__(self, endpoint):
        self._endpoint = endpoint

    def has_model(self, name):
        return False

    def has_endpoint_config(self, name):
        return False

    def endpoint(self, name):
        return self._endpoint


def plan(endpoint):
    return plan_deployment(REQUEST, SETUP, FakeModels(), FakeHosting(endpoint))


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
