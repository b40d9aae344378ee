"""Saved queries as CloudFormation resources, through Athena's own API; none changes in place."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localcloud.registry import ResourceType

Properties = dict[str, Any]
_MEMBERS = ("Name", "Database", "QueryString", "Description", "WorkGroup")


def resource_type() -> ResourceType:
    """Return the handlers for CloudFormation; a change makes a new saved query."""
    return ResourceType(_create, _delete, _replace)


def _create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
    given = {name: properties[name] for name in _MEMBERS if name in properties}
    given.setdefault("Name", f"{stack}-{logical_id}"[:128])
    try:
        query_id = _athena().create_named_query(**given)["NamedQueryId"]
    except ClientError as error:
        raise ValueError(str(error)) from error  # what ministack takes as a failed resource
    return query_id, {"NamedQueryId": query_id}


def _replace(
    physical_id: str, old: Properties, new: Properties, stack: str
) -> tuple[str, dict[str, Any]]:
    created = _create(new.get("Name", physical_id), new, stack)
    _delete(physical_id, old)
    return created


def _delete(physical_id: str, properties: Properties) -> None:  # noqa: ARG001  ministack's
    _athena().delete_named_query(NamedQueryId=physical_id)


def _athena() -> Any:
    return boto3.Session().client("athena", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
