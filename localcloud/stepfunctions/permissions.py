"""What a task may need that ministack performs itself, without a request that could be checked."""

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.environment import ACCOUNT, REGION
from localcloud.registry import Permission

Parameters = Mapping[str, Any]


def _lambda(parameters: Parameters) -> Permission:
    name = str(parameters.get("FunctionName", ""))
    arn = name if name.startswith("arn:") else f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    return Permission("lambda:InvokeFunction", arn)


def _dynamodb(action: str) -> Callable[[Parameters], Permission]:
    def permission(parameters: Parameters) -> Permission:
        name = str(parameters.get("TableName", ""))
        arn = (
            name if name.startswith("arn:") else f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
        )
        return Permission(f"dynamodb:{action}", arn)

    return permission


def _events(parameters: Parameters) -> Permission:
    entries = parameters.get("Entries") or [{}]
    bus = str(entries[0].get("EventBusName", "default"))
    arn = bus if bus.startswith("arn:") else f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{bus}"
    return Permission("events:PutEvents", arn)


def _queue(parameters: Parameters) -> Permission:
    name = str(parameters.get("QueueUrl", "")).rsplit("/", 1)[-1]
    return Permission("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")


def _topic(parameters: Parameters) -> Permission:
    return Permission("sns:Publish", str(parameters.get("TopicArn", "*")))


def _execution(parameters: Parameters) -> Permission:
    return Permission("states:StartExecution", str(parameters.get("StateMachineArn", "*")))


_NATIVE: dict[str, Callable[[Parameters], Permission]] = {
    "lambda:invoke": _lambda,
    "dynamodb:putItem": _dynamodb("PutItem"),
    "dynamodb:getItem": _dynamodb("GetItem"),
    "dynamodb:updateItem": _dynamodb("UpdateItem"),
    "dynamodb:deleteItem": _dynamodb("DeleteItem"),
    "events:putEvents": _events,
    "sqs:sendMessage": _queue,
    "sns:publish": _topic,
    "states:startExecution": _execution,
}


def native_permission(integration: str, parameters: Parameters) -> Permission | None:
    """Return what an integration that ministack performs itself needs; None for others."""
    find = _NATIVE.get(integration)
    return find(parameters) if find else None
