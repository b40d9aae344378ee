"""`AWS::Budgets::Budget` for CloudFormation, through the API that ministack answers."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localcloud.registry import ResourceType, Service
from localcloud.resource_types import typed
from localcloud.service_model import service_model

KIND = "AWS::Budgets::Budget"
Properties = dict[str, Any]


def service() -> Service:
    """Offer the resource type; every operation stays ministack's."""
    return Service(
        signing_name="budgets",
        models=("budgets",),
        operations={},
        permissions=lambda call: (),  # noqa: ARG005 - no operation is ours
        overlays=True,
        resource_types={KIND: ResourceType(_create, _delete)},
    )


def _create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
    given = {**properties, "Budget": dict(properties["Budget"])}
    content = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:12]
    name = given["Budget"].setdefault("BudgetName", f"{stack}-{logical_id}-{content}"[-100:])
    shape = service_model("budgets").operation_model("CreateBudget").input_shape
    _call("create_budget", **typed(shape, {**given, "AccountId": _account()}))
    return name, {"Id": name}


def _delete(physical_id: str, properties: Properties) -> None:  # noqa: ARG001 - its signature
    _call("delete_budget", AccountId=_account(), BudgetName=physical_id)


def _account() -> str:
    return str(_client("sts").get_caller_identity()["Account"])


def _call(operation: str, **request: Any) -> None:
    try:
        getattr(_client("budgets"), operation)(**request)
    except ClientError as error:
        raise ValueError(str(error)) from error  # what ministack takes as a failed resource


def _client(name: str) -> Any:
    return boto3.Session().client(name, endpoint_url=os.environ["AWS_ENDPOINT_URL"])
