"""What may stand in for a state's work: checked against the API that the state would call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import Shape

from localcloud.registry import ServiceError
from localcloud.stepfunctions.definitions import Document, read_json
from localcloud.stepfunctions.jobs import JOBS
from localcloud.stepfunctions.sdk_call import api_model, from_pascal, pascal
from localcloud.stepfunctions.trial import Mock

STRICT, NONE = "STRICT", "NONE"
MOCKABLE = ("Task", "Map", "Parallel")
_PREFIX = "arn:aws:states:::"
_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "timestamp": (str, int, float),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
}
_ANYTHING = frozenset(
    {
        ("InvocationResponse", "Payload"),
        ("DescribeExecutionOutput", "input"),
        ("DescribeExecutionOutput", "output"),
    }
)
"""Members that a workflow finds as the JSON that they hold."""


def mock_for(state: Document, given: Mapping[str, Any] | None) -> Mock | None:
    """Return what stands in for a state's work, if anything; refuse what its API cannot answer."""
    if given is None:
        _check_needs_none(state)
        return None
    if state["Type"] not in MOCKABLE:
        raise _refused(f"State type '{state['Type']}' is not supported when a mock is specified")
    if ("result" in given) == ("errorOutput" in given):
        raise _refused("A mock has either a result or an errorOutput")
    if "errorOutput" in given:
        return _error(given["errorOutput"])
    return _result(state, given)


def _result(state: Document, given: Mapping[str, Any]) -> Mock:
    result = read_json("mock's result", given["result"], "ValidationException")
    if state["Type"] == "Task":
        _check_result(state["Resource"], result, given.get("fieldValidationMode", STRICT))
    elif state["Type"] == "Map" and not isinstance(result, list):
        raise _refused("The mocked result of a Map is an array")
    return Mock(result=result)


def _error(given: Mapping[str, str]) -> Mock:
    if not given.get("error"):
        raise _refused("A mock's errorOutput names an error")
    return Mock(error=given["error"], cause=given.get("cause", ""))


def _check_needs_none(state: Document) -> None:
    kind, resource = state["Type"], str(state.get("Resource", ""))
    waits = ".sync" in resource or ".waitForTaskToken" in resource or ":activity:" in resource
    if kind in ("Map", "Parallel") or waits:
        what = resource if waits else f"State type '{kind}'"
        raise _refused(f"{what} is supported only when a mock is specified")


def _check_result(resource: str, result: Any, mode: str) -> None:
    shape = None if mode == NONE else _answer_of(resource)
    if shape is None:
        return
    wrong = next(_differences(shape, result, "$", is_strict=mode == STRICT), None)
    if wrong:
        raise _refused(f"Mock result schema validation error: {wrong}")


def _answer_of(resource: str) -> Shape | None:
    """Return what a task's API answers; None where anything may be answered."""
    if not resource.startswith(_PREFIX) or resource.endswith(".waitForTaskToken"):
        return None
    name = resource.removeprefix(_PREFIX)
    if name in JOBS:
        kind = JOBS[name]
        return kind.answer(api_model(kind.service))
    service, _, operation = name.removeprefix("aws-sdk:").rpartition(":")
    try:
        return api_model(service).operation_model(pascal(operation)).output_shape
    except (UnknownServiceError, KeyError) as error:
        raise _refused(f"{resource} is no integration that the embedded AWS knows") from error


def _differences(shape: Any, value: Any, where: str, *, is_strict: bool) -> Iterator[str]:
    """Say where a value is none of its shape."""
    if shape.type_name == "structure" and isinstance(value, dict):
        yield from _of_structure(shape, value, where, is_strict=is_strict)
        return
    if not _is_of(shape.type_name, value):
        yield f"{where} must be of type {shape.type_name}, but is {value!r}"
        return
    for each, member, place in _inner(shape, value, where):
        yield from _differences(member, each, place, is_strict=is_strict)


def _inner(shape: Any, value: Any, where: str) -> Iterator[tuple[Any, Any, str]]:
    """Give the elements of a list or a map."""
    if shape.type_name == "list":
        for index, item in enumerate(value):
            yield item, shape.member, f"{where}[{index}]"
    if shape.type_name == "map":
        for key, item in value.items():
            yield item, shape.value, f"{where}.{key}"


def _of_structure(shape: Any, value: Any, where: str, *, is_strict: bool) -> Iterator[str]:
    given = {from_pascal(shape, key): key for key in value}
    for name in shape.required_members if is_strict else ():
        if name not in given:
            yield f"{where} lacks the required field {pascal(name)}"
    for name, key in given.items():
        if name not in shape.members:
            known = ", ".join(map(pascal, shape.members))
            yield f"{where}.{key} is no field of {shape.name}; fields are {known}"
        elif (shape.name, name) not in _ANYTHING:
            member = shape.members[name]
            yield from _differences(member, value[key], f"{where}.{key}", is_strict=is_strict)


def _is_of(kind: str, value: Any) -> bool:
    types = _KINDS.get(kind, ())
    return isinstance(value, types) and (isinstance(value, bool) == (kind == "boolean"))


def _refused(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)
