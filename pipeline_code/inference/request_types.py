"""The types of a request, made of the use case's inputs: decoding a right request checks it too.

Every number is a double. What these types refuse, ``validation`` explains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Optional, Protocol

import msgspec

from pipeline_code.inference.contract import MAX_INSTANCES
from pipeline_code.source_contract import Field

Inputs = Mapping[str, Mapping[str, Field]]
Row = Any
"""A struct with a struct a group, or ``None`` for a group that is absent."""


class Body(Protocol):
    """A decoded request."""

    instances: list[Row]


class RequestTypes(NamedTuple):
    """How requests of a use case are decoded."""

    decode: Callable[[bytes], Body]
    row: type[msgspec.Struct]

    def rows(self, instances: Sequence[Mapping[str, object]]) -> list[Row]:
        """Turn instances that ``validation`` has accepted into rows."""
        return [msgspec.convert(one, self.row) for one in instances]


def request_types(inputs: Inputs) -> RequestTypes:
    """Make the types; the first group is required."""
    first, *others = inputs
    groups: list[Any] = [(first, _group(first, inputs[first]))]
    groups += [(name, Optional[_group(name, inputs[name])], None) for name in others]  # noqa: UP045
    row = msgspec.defstruct("Instance", groups, forbid_unknown_fields=True, gc=False)
    instances = Annotated[
        list[row],  # type: ignore[valid-type] # made at run time
        msgspec.Meta(min_length=1, max_length=MAX_INSTANCES),
    ]
    body = msgspec.defstruct(
        "Body", [("instances", instances)], forbid_unknown_fields=True, gc=False
    )
    decoder: Any = msgspec.json.Decoder(body)
    return RequestTypes(decoder.decode, row)


def _group(name: str, fields: Mapping[str, Field]) -> type[msgspec.Struct]:
    made: list[Any] = [
        (field.name, Optional[_type(field)], None)  # noqa: UP045 - not for types made at run time
        if field.nullable
        else (field.name, _type(field))
        for field in fields.values()
    ]
    return msgspec.defstruct(name, made, kw_only=True, forbid_unknown_fields=True, gc=False)


def _type(field: Field) -> Any:
    if field.type in ("string", "datetime"):
        return Literal[field.allowed] if field.allowed else str
    limits: dict[str, Any] = {"multiple_of": 1.0} if field.type == "integer" else {}
    if field.minimum is not None and field.maximum is not None:
        limits |= {"ge": field.minimum, "le": field.maximum}
    return Annotated[float, msgspec.Meta(**limits)] if limits else float
