"""CloudFormation resource types of Application Auto Scaling."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localcloud.registry import ResourceType
from localcloud.resource_types import typed
from localcloud.service_model import service_model

SERVICE = "application-autoscaling"
TARGET_NAMES = ("ServiceNamespace", "ResourceId", "ScalableDimension")
Properties = dict[str, Any]


def _register(_logical_id: str, properties: Properties, _stack: str) -> tuple[str, Properties]:
    answer = _call("RegisterScalableTarget", properties)
    identity = "|".join(properties[name] for name in reversed(TARGET_NAMES))
    return identity, {"Id": identity, "ScalableTargetARN": answer["ScalableTargetARN"]}


def _change_target(
    _physical_id: str, _old: Properties, new: Properties, stack: str
) -> tuple[str, Properties]:
    return _register("", new, stack)


def _deregister(_physical_id: str, properties: Properties) -> None:
    _call("DeregisterScalableTarget", {name: properties[name] for name in TARGET_NAMES})


def _put_policy(_logical_id: str, properties: Properties, _stack: str) -> tuple[str, Properties]:
    arn = _call("PutScalingPolicy", _policy(properties))["PolicyARN"]
    return arn, {"Arn": arn, "PolicyName": properties["PolicyName"]}


def _change_policy(
    _physical_id: str, _old: Properties, new: Properties, stack: str
) -> tuple[str, Properties]:
    return _put_policy("", new, stack)


def _delete_policy(_physical_id: str, properties: Properties) -> None:
    policy = _policy(properties)
    _call("DeleteScalingPolicy", {n: policy[n] for n in ("PolicyName", *TARGET_NAMES)})


def _policy(properties: Properties) -> Properties:
    """Spell a policy as the API does: its target by name rather than by reference."""
    request = dict(properties)
    target = request.pop("ScalingTargetId", None)
    if target:
        dimension, resource, namespace = target.split("|")
        request |= dict(zip(TARGET_NAMES, (namespace, resource, dimension), strict=True))
    return request


def _call(operation: str, request: Properties) -> Properties:
    shape = service_model(SERVICE).operation_model(operation).input_shape
    client = boto3.Session().client(SERVICE, endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    method = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
    try:
        return dict(getattr(client, method)(**typed(shape, request)))
    except ClientError as error:
        raise ValueError(str(error)) from error  # what ministack takes as a failed resource


RESOURCE_TYPES = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ResourceType(
        _register, _deregister, _change_target
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ResourceType(
        _put_policy, _delete_policy, _change_policy
    ),
}
