"""A DynamoDB table that goes with its stack takes along what is kept beside it, as on AWS.

ministack forgets a table's tags and settings when `DeleteTable` is called, not when CloudFormation
deletes it: the tagging API would go on listing the table, and one of the same name inherit them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

_KINDS = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
Delete = Callable[[str, Mapping[str, Any]], None]


def install() -> None:
    """Let CloudFormation delete tables whole."""
    for kind in _KINDS:
        handlers = provisioners._RESOURCE_HANDLERS[kind]  # noqa: SLF001  ministack has no hook
        handlers["delete"] = _whole(handlers["delete"])


def _whole(delete: Delete) -> Delete:
    def delete_table(physical_id: str, properties: Mapping[str, Any]) -> None:
        table = dynamodb._tables.get(physical_id) or {}  # noqa: SLF001
        delete(physical_id, properties)
        dynamodb._tags.pop(table.get("TableArn", ""), None)  # noqa: SLF001
        for kept in (dynamodb._ttl_settings, dynamodb._pitr_settings):  # noqa: SLF001
            kept.pop(physical_id, None)

    return delete_table
