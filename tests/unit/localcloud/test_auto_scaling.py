"""Target tracking: how many instances a load asks for, within limits and cooldowns."""

from __future__ import annotations

import pytest

from localcloud.application_autoscaling.targets import ScalableTargets
from localcloud.application_autoscaling.tracking import Tracking
from localcloud.registry import Call, Caller, ServiceError
from localcloud.sagemaker.store import Store

RESOURCE = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/e/variant/v",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
POLICY = {
    **RESOURCE,
    "PolicyName": "p",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 100.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleOutCooldown": 5,
        "ScaleInCooldown": 5,
    },
}


class FakeCapacity:
    def __init__(self, count):
        self.count = count

    def instances(self, scope, endpoint, variant):
        return self.count

    def set_instances(self, scope, endpoint, variant, count):
        self.count = count


class World:
    """A target of one to four instances, and a load that the test sets."""

    def __init__(self, folder, count=1):
        self.targets = ScalableTargets(Store(folder))
        self.capacity = FakeCapacity(count)
        self.load = 0.0
        self.tracking = Tracking(self.targets, self.capacity, lambda *_: self.load)
        self.call("register", **RESOURCE, MinCapacity=1, MaxCapacity=4)
        self.call("put_policy", **POLICY)

    def call(self, operation, **parameters):
        caller = Caller("key", "arn")
        service = "application-autoscaling"
        call = Call(service, operation, parameters, "us-east-1", "000000000000", caller)
        return getattr(self.targets, operation)(call)

    def after(self, load, now):
        self.load = load
        self.tracking.look(now)
        return self.capacity.count


def test_instances_follow_the_load_in_proportion_and_within_the_limits(tmp_path):
    world = World(tmp_path)
    assert world.after(90.0, 0.0) == 1
    assert world.after(250.0, 1.0) == 3
    assert world.after(250.0, 2.0) == 3
    assert world.after(250.0, 7.0) == 4
    assert world.after(10.0, 8.0) == 4
    assert world.after(10.0, 30.0) == 1
    (newest, *_) = world.call("describe_activities")["ScalingActivities"]
    assert newest["StatusCode"] == "Successful"


def test_a_load_near_the_target_takes_nothing_away(tmp_path):
    world = World(tmp_path, count=2)
    world.after(95.0, 0.0)
    assert world.after(95.0, 100.0) == 2


def test_a_capacity_out_of_limits_is_brought_back(tmp_path):
    assert World(tmp_path, count=9).after(50.0, 0.0) == 4


def test_what_is_not_supported_or_not_registered_is_refused(tmp_path):
    world = World(tmp_path)
    with pytest.raises(ServiceError, match="does not support dynamodb"):
        world.call("register", **{**RESOURCE, "ScalableDimension": "dynamodb:table:x"})
    with pytest.raises(ServiceError, match="any policy but"):
        world.call("put_policy", **{**POLICY, "PolicyType": "StepScaling"})
    other = {**POLICY, "ResourceId": "endpoint/other/variant/v"}
    with pytest.raises(ServiceError, match="No scalable target found"):
        world.call("put_policy", **other)
    with pytest.raises(ServiceError, match="must be endpoint/NAME/variant/NAME"):
        world.call("register", **{**RESOURCE, "ResourceId": "table/x"})
    world.call("deregister", **RESOURCE)
    assert world.call("describe_policies")["ScalingPolicies"] == []
