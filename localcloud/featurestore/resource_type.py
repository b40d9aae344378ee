"""AWS::SageMaker::FeatureGroup: features are added and lifetimes set in place."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localcloud.registry import ResourceType
from localcloud.resource_types import ApiResource

KIND = "AWS::SageMaker::FeatureGroup"
_IN_PLACE = ("FeatureDefinitions", "OnlineStoreConfig", "ThroughputConfig", "Tags")
Properties = dict[str, Any]


def feature_group_type() -> dict[str, ResourceType]:
    """Offer the resource type; a template names its feature groups, so none can be replaced."""
    made = ApiResource("sagemaker", "FeatureGroup", "FeatureGroupName", dict).resource_type()

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        name, _ = made.create(logical_id, properties, stack)
        return name, _attributes(name)

    return {KIND: dataclasses.replace(made, create=create, update=_update)}


def _update(
    physical_id: str,
    old: Properties,
    new: Properties,
    stack: str,  # noqa: ARG001  ministack's signature
) -> tuple[str, Properties]:
    changed = {key for key in {*old, *new} if old.get(key) != new.get(key)}
    if lasting := sorted(changed - set(_IN_PLACE)):
        message = (
            f"CloudFormation cannot update a stack when a custom-named resource requires replacing:"
            f" {', '.join(lasting)} of {physical_id} changed. Rename it and update the stack again."
        )
        raise ValueError(message)
    for request in _requests(physical_id, old, new):
        try:
            _client().update_feature_group(FeatureGroupName=physical_id, **request)
        except ClientError as error:
            raise ValueError(str(error)) from error
    return physical_id, _attributes(physical_id)


def _requests(name: str, old: Properties, new: Properties) -> list[Properties]:
    """Say what to ask for: one kind of change a request."""
    had, has = old["FeatureDefinitions"], new["FeatureDefinitions"]
    if any(each not in has for each in had):
        raise ValueError(f"Features cannot be removed from {name}, nor their types be changed.")
    requests: list[Properties] = []
    if added := [each for each in has if each not in had]:
        requests.append({"FeatureAdditions": added})
    before, after = (each.get("OnlineStoreConfig", {}) for each in (old, new))
    if before.get("TtlDuration") != after.get("TtlDuration"):
        requests.append({"OnlineStoreConfig": {"TtlDuration": _ttl(after.get("TtlDuration"))}})
    if old.get("ThroughputConfig") != new.get("ThroughputConfig"):
        requests.append({"ThroughputConfig": new.get("ThroughputConfig", {})})
    return requests


def _ttl(duration: Properties | None) -> Properties:
    return {"Unit": duration["Unit"], "Value": int(duration["Value"])} if duration else {}


def _attributes(name: str) -> Properties:
    group = _client().describe_feature_group(FeatureGroupName=name)
    return {
        "FeatureGroupName": name,
        "CreationTime": group["CreationTime"].isoformat(),
        "FeatureGroupStatus": group["FeatureGroupStatus"],
    }


def _client() -> Any:
    return boto3.Session().client("sagemaker", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
