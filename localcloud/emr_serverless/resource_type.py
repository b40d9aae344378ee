"""`AWS::EMRServerless::Application` for CloudFormation, through the service's own API."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localcloud.registry import ResourceType
from localcloud.resource_types import camel, typed
from localcloud.service_model import service_model

KIND = "AWS::EMRServerless::Application"
SERVICE = "emr-serverless"
FIXED = ("name", "type", "tags", "clientToken")
"""What no update changes: a changed name or type replaces the application."""
Properties = dict[str, Any]


def application_type() -> ResourceType:
    """Return the handlers for CloudFormation."""
    return ResourceType(_create, _delete, _update)


def _create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
    name = properties.get("Name", f"{stack[:30]}-{logical_id[:30]}")
    answer = _call("create_application", **_request({**properties, "Name": name}))
    return _identity(answer["applicationId"], answer["arn"])


def _update(
    physical_id: str, old: Properties, new: Properties, stack: str
) -> tuple[str, Properties]:
    if any(old.get(each) != new.get(each) for each in ("Name", "Type")):
        created = _create(physical_id, new, stack)
        _delete(physical_id, old)
        return created
    # CloudFormation too stops an application to change it.
    _call("stop_application", applicationId=physical_id)
    changes = {key: value for key, value in _request(new).items() if key not in FIXED}
    answer = _call("update_application", applicationId=physical_id, **changes)
    return _identity(physical_id, answer["application"]["arn"])


def _delete(physical_id: str, properties: Properties) -> None:  # noqa: ARG001  its signature
    _call("stop_application", applicationId=physical_id)
    _call("delete_application", applicationId=physical_id)


def _identity(application_id: str, arn: str) -> tuple[str, Properties]:
    return application_id, {"ApplicationId": application_id, "Arn": arn}


def _request(properties: Properties) -> Properties:
    """Write a template's properties as the API's request: its lists of pairs are mappings there."""
    given = dict(properties)
    for name in ("InitialCapacity", "Tags"):
        if name in given:
            given[name] = {each["Key"]: each["Value"] for each in given[name]}
    shape = service_model(SERVICE).operation_model("CreateApplication").input_shape
    return dict(typed(shape, camel(shape, given)))


def _call(operation: str, **request: Any) -> Properties:
    client = boto3.Session().client("emr-serverless", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    try:
        return dict(getattr(client, operation)(**request))
    except ClientError as error:
        raise ValueError(str(error)) from error  # what ministack takes as a failed resource
