"""The resource that an IAM check is about, where ministack names another one than AWS does."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.task_tokens import machine_of

_STREAM_OPERATIONS = frozenset(
    {"CreateLogStream", "PutLogEvents", "GetLogEvents", "DeleteLogStream"}
)
Body = Mapping[str, Any]


def _repository(operation: str, body: Body) -> str | None:  # noqa: ARG001  one signature for all
    names = body.get("repositoryNames") or [body.get("repositoryName")]
    return f"ecr:{{region}}:{{account}}:repository/{names[0]}" if names[0] else None


def _log_stream(operation: str, body: Body) -> str | None:
    if operation not in _STREAM_OPERATIONS or not body.get("logGroupName"):
        return None
    group, stream = body["logGroupName"], body.get("logStreamName", "")
    stream = "" if operation == "CreateLogStream" else stream
    return f"logs:{{region}}:{{account}}:log-group:{group}:log-stream:{stream}"


def _index(operation: str, body: Body) -> str | None:  # noqa: ARG001  one signature for all
    table, index = body.get("TableName"), body.get("IndexName")
    return f"dynamodb:{{region}}:{{account}}:table/{table}/index/{index}" if index else None


def _waiting_machine(operation: str, body: Body) -> str | None:  # noqa: ARG001  one signature
    machine = machine_of(body.get("taskToken", ""))
    return machine.removeprefix("arn:aws:") if machine else None


def _alarm(operation: str, body: Body) -> str | None:
    names = body.get("AlarmNames") or []
    if operation != "DescribeAlarms" or len(names) != 1:
        return None
    return f"cloudwatch:{{region}}:{{account}}:alarm:{names[0]}"


_READERS: dict[str, Callable[[str, Body], str | None]] = {
    "dynamodb": _index,
    "ecr": _repository,
    "logs": _log_stream,
    "monitoring": _alarm,
    "states": _waiting_machine,
}


def resource_of(
    service: str, headers: Mapping[str, str], body: bytes, region: str, account: str
) -> str | None:
    """Return the ARN of a request's resource; None where ministack's answer is right."""
    read = _READERS.get(service)
    if read is None or not body.startswith(b"{"):
        return None
    found = read(headers.get("x-amz-target", "").rpartition(".")[2], json.loads(body))
    return "arn:aws:" + found.format(region=region, account=account) if found else None


def condition_keys(action: str, body: bytes) -> dict[str, str]:
    """Return the condition keys of a request that ministack does not fill."""
    if action != "cloudwatch:PutMetricData" or not body.startswith(b"{"):
        return {}
    return {"cloudwatch:namespace": str(json.loads(body).get("Namespace", ""))}
