"""CloudFormation resource types of SageMaker that need more than their create operation."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localcloud.registry import ResourceType

NAME = "ModelPackageGroupName"
POLICY = "ModelPackageGroupPolicy"
Properties = dict[str, Any]


def _create(_logical_id: str, properties: Properties, _stack: str) -> tuple[str, dict[str, Any]]:
    known = {
        key: properties[key]
        for key in (NAME, "ModelPackageGroupDescription", "Tags")
        if key in properties
    }
    answer = _call("create_model_package_group", **known)
    if properties.get(POLICY):
        _put_policy(properties)
    arn = answer["ModelPackageGroupArn"]
    return arn, _attributes(arn)


def _update(arn: str, old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    """Change policy in place; anything else makes another group, which needs another name."""
    fixed = (NAME, "ModelPackageGroupDescription")
    if any(old.get(key) != new.get(key) for key in fixed):
        return _create("", new, stack)
    if new.get(POLICY):
        _put_policy(new)
    elif old.get(POLICY):
        _call("delete_model_package_group_policy", **{NAME: new[NAME]})
    return arn, _attributes(arn)


def _delete(physical_id: str, properties: Properties) -> None:  # noqa: ARG001  ministack's signature
    _call("delete_model_package_group", **{NAME: physical_id})


def _attributes(arn: str) -> dict[str, Any]:
    group = _call("describe_model_package_group", **{NAME: arn})
    return {
        "ModelPackageGroupArn": arn,
        "ModelPackageGroupStatus": group["ModelPackageGroupStatus"],
        "CreationTime": group["CreationTime"].isoformat(),
    }


def _put_policy(properties: Properties) -> None:
    policy = properties[POLICY]
    text = policy if isinstance(policy, str) else json.dumps(policy)
    _call("put_model_package_group_policy", **{NAME: properties[NAME]}, ResourcePolicy=text)


def _call(operation: str, **request: Any) -> dict[str, Any]:
    client = boto3.Session().client("sagemaker", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    try:
        return dict(getattr(client, operation)(**request))
    except ClientError as error:
        raise ValueError(str(error)) from error  # what ministack takes as a failed resource


RESOURCE_TYPES = {"AWS::SageMaker::ModelPackageGroup": ResourceType(_create, _delete, _update)}
