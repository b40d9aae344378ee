"""How updates move traffic: the steps of each policy, and what is refused."""

from __future__ import annotations

import pytest

from localcloud.registry import ServiceError
from localcloud.sagemaker.deployment_policy import policy_of


def blue_green(**routing):
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}


def size(value, kind="CAPACITY_PERCENT"):
    return {"Type": kind, "Value": value}


@pytest.mark.parametrize(
    ("config", "instances", "shares"),
    [
        (None, 3, [1.0]),
        (blue_green(Type="ALL_AT_ONCE", WaitIntervalInSeconds=5), 3, [1.0]),
        (blue_green(Type="CANARY", CanarySize=size(10)), 3, [0.1, 1.0]),
        (blue_green(Type="CANARY", CanarySize=size(1, "INSTANCE_COUNT")), 4, [0.25, 1.0]),
        (blue_green(Type="LINEAR", LinearStepSize=size(25)), 4, [0.25, 0.5, 0.75, 1.0]),
        (blue_green(Type="LINEAR", LinearStepSize=size(40)), 4, [0.4, 0.8, 1.0]),
    ],
)
def test_each_policy_has_its_steps(config, instances, shares):
    assert policy_of(config, lambda _: True).shares(instances) == pytest.approx(shares)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (blue_green(Type="CANARY"), "CanarySize is required"),
        (blue_green(Type="LINEAR", LinearStepSize=size(5)), "between 10 and 50"),
        ({**blue_green(Type="ALL_AT_ONCE"), "RollingUpdatePolicy": {"x": 1}}, "not both"),
        ({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "gone"}]}}, '"gone"'),
    ],
)
def test_what_cannot_be_done_is_refused(config, words):
    with pytest.raises(ServiceError, match=words):
        policy_of(config, lambda name: name != "gone")
