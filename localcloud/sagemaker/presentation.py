"""Stored documents as answers: only what the operation's shape has, with times as times."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import Shape

from localcloud.registry import Call, Operation
from localcloud.service_model import service_model


def presenting(name: str, operation: Operation) -> Operation:
    """Wrap an operation of SageMaker so that its result fits its output shape."""
    return presenting_for("sagemaker", name, operation)


def presenting_for(service: str, name: str, operation: Operation) -> Operation:
    """Do the same for an operation of any service."""
    shape = service_model(service).operation_model(name).output_shape

    def answer(call: Call) -> Mapping[str, Any]:
        result = operation(call)
        return present(shape, result) if shape is not None else {}

    return answer


def present(shape: Shape, value: Any) -> Any:
    """Convert one value as its shape asks."""
    convert = _CONVERSIONS.get(shape.type_name)
    return convert(shape, value) if convert else value


def _structure(shape: Shape, value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: present(member, value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None
    }


def _timestamp(_shape: Shape, value: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(value, datetime.UTC)


_CONVERSIONS: dict[str, Callable[[Shape, Any], Any]] = {
    "structure": _structure,
    "timestamp": _timestamp,
    "list": lambda shape, value: [present(shape.member, item) for item in value],
    "map": lambda shape, value: {key: present(shape.value, item) for key, item in value.items()},
}
