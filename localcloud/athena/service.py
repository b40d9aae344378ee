"""Athena's queries as a service of the embedded AWS; all else of Athena stays ministack's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from localcloud.athena.executions import Executions
from localcloud.athena.named_queries import resource_type
from localcloud.athena.work_groups import PRIMARY
from localcloud.environment import STATE_VARIABLE
from localcloud.registry import Call, Permission, Service


def service() -> Service:
    """Offer queries that really run, on DuckDB."""
    executions = Executions(Path(os.environ[STATE_VARIABLE]) / "tmp" / "athena")

    def permissions(call: Call) -> Sequence[Permission]:
        groups = {_group(call, executions, each) for each in _queries(call)}
        action = f"athena:{call.operation}"
        return [Permission(action, call.arn(f"workgroup/{group}")) for group in sorted(groups)]

    return Service(
        signing_name="athena",
        models=("athena",),
        operations={
            "StartQueryExecution": executions.start,
            "GetQueryExecution": executions.describe,
            "BatchGetQueryExecution": executions.describe_many,
            "GetQueryResults": executions.results,
            "StopQueryExecution": executions.stop,
            "ListQueryExecutions": executions.list,
        },
        permissions=permissions,
        overlays=True,
        resource_types={"AWS::Athena::NamedQuery": resource_type()},
    )


def _queries(call: Call) -> Sequence[str]:
    one = str(call.parameters.get("QueryExecutionId", ""))
    return list(call.parameters.get("QueryExecutionIds", [one]))


def _group(call: Call, executions: Executions, query_id: str) -> str:
    """Name the work group that a call is about: its own, or that of its execution."""
    if query_id and query_id in executions:
        return executions.find(query_id).group.name
    return str(call.parameters.get("WorkGroup", PRIMARY))
