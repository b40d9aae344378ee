"""Scalable targets and their policies: the operations."""

from __future__ import annotations

import secrets
from typing import Any

from localcloud.registry import Call, ServiceError
from localcloud.sagemaker.scope import Document, Scope, now
from localcloud.sagemaker.store import Store

TARGET = "scalable-target"
POLICY = "scaling-policy"
ACTIVITY = "scaling-activity"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
METRIC = "SageMakerVariantInvocationsPerInstance"
TRACKING = "TargetTrackingScaling"
KEPT_ACTIVITIES = 50


class ScalableTargets:
    """Registers, describes and forgets what scales, and by which policies."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def register(self, call: Call) -> Document:
        """Register a target, or change one."""
        given = dict(call.parameters)
        _supported(given)
        scope, name = Scope.of(call), _name(given["ResourceId"])
        known = self._store.find(scope, TARGET, name) or {}
        document = {"CreationTime": now(), **known, **given}
        for member in ("MinCapacity", "MaxCapacity"):
            if member not in document:
                raise _invalid(f"{member} is required for a target that is not registered yet.")
        if document["MinCapacity"] > document["MaxCapacity"]:
            raise _invalid("MaxCapacity must be at least MinCapacity.")
        document.setdefault("ScalableTargetARN", _arn(call, f"scalable-target/{_id()}"))
        document["RoleARN"] = _service_role(call)
        self._store.put(scope, TARGET, name, document)
        return {"ScalableTargetARN": document["ScalableTargetARN"]}

    def deregister(self, call: Call) -> Document:
        """Forget a target and its policies."""
        scope, resource = Scope.of(call), call.parameters["ResourceId"]
        self._target(scope, resource)
        for policy in self._policies(scope, resource):
            self._store.remove(scope, POLICY, _policy_name(resource, policy["PolicyName"]))
        self._store.remove(scope, TARGET, _name(resource))
        return {}

    def describe(self, call: Call) -> Document:
        """Describe targets."""
        wanted = call.parameters.get("ResourceIds")
        found = self._store.all(Scope.of(call), TARGET)
        return {"ScalableTargets": [t for t in found if not wanted or t["ResourceId"] in wanted]}

    def put_policy(self, call: Call) -> Document:
        """Make or change a target-tracking policy."""
        given = dict(call.parameters)
        _supported(given)
        scope, resource = Scope.of(call), given["ResourceId"]
        self._target(scope, resource)
        tracking = given.get("TargetTrackingScalingPolicyConfiguration")
        if given.get("PolicyType", TRACKING) != TRACKING or not tracking:
            raise _unsupported("any policy but TargetTrackingScaling")
        metric = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        if metric != METRIC:
            raise _unsupported(f"the metric {metric}; it supports {METRIC}")
        name = _policy_name(resource, given["PolicyName"])
        known = self._store.find(scope, POLICY, name) or {}
        document = {
            "PolicyARN": _arn(call, f"scalingPolicy:{_id()}"),
            "CreationTime": now(),
            **known,
            **given,
            "PolicyType": TRACKING,
        }
        self._store.put(scope, POLICY, name, document)
        return {"PolicyARN": document["PolicyARN"], "Alarms": []}

    def delete_policy(self, call: Call) -> Document:
        """Delete a policy."""
        name = _policy_name(call.parameters["ResourceId"], call.parameters["PolicyName"])
        if not self._store.remove(Scope.of(call), POLICY, name):
            raise _missing(f"No scaling policy found for {call.parameters['PolicyName']}.")
        return {}

    def describe_policies(self, call: Call) -> Document:
        """Describe policies."""
        wanted = call.parameters.get("ResourceId")
        found = self._store.all(Scope.of(call), POLICY)
        return {"ScalingPolicies": [p for p in found if wanted in (None, p["ResourceId"])]}

    def describe_activities(self, call: Call) -> Document:
        """Describe what was scaled, newest first."""
        wanted = call.parameters.get("ResourceId")
        found = self._store.all(Scope.of(call), ACTIVITY)
        found = [each for each in found if wanted in (None, each["ResourceId"])]
        return {"ScalingActivities": sorted(found, key=lambda each: -each["StartTime"])}

    def tracked(self) -> list[tuple[Scope, Document, Document]]:
        """List targets with their policies."""
        return [
            (scope, target, policy)
            for scope, name in list(self._store.everywhere(TARGET))
            if (target := self._store.find(scope, TARGET, name))
            for policy in self._policies(scope, target["ResourceId"])
        ]

    def note(self, scope: Scope, target: Document, cause: str, count: int) -> None:
        """Keep what was scaled and why."""
        identity = _id()
        activity = {
            "ActivityId": identity,
            **{k: target[k] for k in ("ServiceNamespace", "ResourceId", "ScalableDimension")},
            "Description": f"Setting desired instance count to {count}.",
            "Cause": cause,
            "StartTime": now(),
            "EndTime": now(),
            "StatusCode": "Successful",
        }
        self._store.add(scope, ACTIVITY, identity, activity)
        kept = sorted(self._store.all(scope, ACTIVITY), key=lambda each: -each["StartTime"])
        for old in kept[KEPT_ACTIVITIES:]:
            self._store.remove(scope, ACTIVITY, old["ActivityId"])

    def _target(self, scope: Scope, resource: str) -> Document:
        found = self._store.find(scope, TARGET, _name(resource))
        if found is None:
            raise _missing(f"No scalable target found for {resource}.")
        return found

    def _policies(self, scope: Scope, resource: str) -> list[Document]:
        return [p for p in self._store.all(scope, POLICY) if p["ResourceId"] == resource]


def variant_of(resource: str) -> tuple[str, str]:
    """Read ``endpoint/<name>/variant/<name>``."""
    parts = resource.split("/")
    if [parts[0], *parts[2:3]] != ["endpoint", "variant"] or len(parts) != 4:  # noqa: PLR2004
        raise _invalid(f"ResourceId is {resource}, but must be endpoint/NAME/variant/NAME.")
    return parts[1], parts[3]


def _supported(given: Document) -> None:
    if given["ServiceNamespace"] != "sagemaker" or given["ScalableDimension"] != DIMENSION:
        raise _unsupported(f"{given['ScalableDimension']}; it scales {DIMENSION}")
    variant_of(given["ResourceId"])


def _name(resource: str) -> str:
    return resource.replace("/", "--")


def _policy_name(resource: str, policy: str) -> str:
    return f"{_name(resource)}--{policy}"


def _arn(call: Call, resource: str) -> str:
    return f"arn:aws:application-autoscaling:{call.region}:{call.account}:{resource}"


def _service_role(call: Call) -> str:
    path = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com"
    name = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    return f"arn:aws:iam::{call.account}:role/{path}/{name}"


def _id() -> str:
    return secrets.token_hex(16)


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def _missing(message: str) -> ServiceError:
    return ServiceError("ObjectNotFoundException", message)


def _unsupported(feature: Any) -> ServiceError:
    return ServiceError("ValidationException", f"The embedded AWS does not support {feature}.")
