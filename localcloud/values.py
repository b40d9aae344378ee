"""Values on the wire: JSON to Python and back, following a botocore shape.

Blobs are base64 on the wire and bytes here, timestamps are epoch seconds (or ISO 8601) on the wire
and aware datetimes here.
"""

import base64
import binascii
import datetime
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from botocore.model import Shape

Problems = list[str]
Encoder = Callable[[Any], Any]
_NUMBERS: dict[str, type | tuple[type, ...]] = {
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


def decode(shape: Shape, value: Any, problems: Problems, at: str = "") -> Any:
    """Convert a JSON value to the shape's Python value, noting unknown and ill-typed parts."""
    decoder = _DECODERS.get(shape.type_name, _decode_scalar)
    return decoder(shape, value, problems, at)


def _ill_typed(value: Any, at: str, problems: Problems, wanted: str) -> None:
    problems.append(f"Value {value!r} at '{at or 'request'}' is not of type {wanted}")


def _decode_structure(shape: Shape, value: Any, problems: Problems, at: str) -> Any:
    if not isinstance(value, Mapping):
        return _ill_typed(value, at, problems, "structure")
    if getattr(shape, "is_document_type", False):
        return value
    names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
    names |= {name: name for name in shape.members}
    decoded = {}
    for key, item in value.items():
        where = f"{at}.{key}" if at else key
        if key not in names:
            problems.append(f"Unknown parameter '{where}'; known are {', '.join(shape.members)}")
        elif item is not None:
            decoded[names[key]] = decode(shape.members[names[key]], item, problems, where)
    return decoded


def _decode_list(shape: Shape, value: Any, problems: Problems, at: str) -> Any:
    if not isinstance(value, list):
        return _ill_typed(value, at, problems, "list")
    return [
        decode(shape.member, item, problems, f"{at}.{number}.member")
        for number, item in enumerate(value, start=1)
    ]


def _decode_map(shape: Shape, value: Any, problems: Problems, at: str) -> Any:
    if not isinstance(value, Mapping):
        return _ill_typed(value, at, problems, "map")
    return {key: decode(shape.value, item, problems, f"{at}.{key}") for key, item in value.items()}


def _decode_blob(shape: Shape, value: Any, problems: Problems, at: str) -> Any:  # noqa: ARG001
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        return _ill_typed(value, at, problems, "blob")


def _decode_timestamp(shape: Shape, value: Any, problems: Problems, at: str) -> Any:  # noqa: ARG001
    try:
        if isinstance(value, str):
            return datetime.datetime.fromisoformat(value)
        return datetime.datetime.fromtimestamp(value, datetime.UTC)
    except (TypeError, ValueError, OverflowError):
        return _ill_typed(value, at, problems, "timestamp")


def _decode_scalar(shape: Shape, value: Any, problems: Problems, at: str) -> Any:
    kind = shape.type_name
    wanted = {"boolean": bool, "string": str}.get(kind) or _NUMBERS[kind]
    if not isinstance(value, wanted) or (kind in _NUMBERS and isinstance(value, bool)):
        return _ill_typed(value, at, problems, kind)
    return value


_DECODERS: dict[str, Callable[[Shape, Any, Problems, str], Any]] = {
    "structure": _decode_structure,
    "list": _decode_list,
    "map": _decode_map,
    "blob": _decode_blob,
    "timestamp": _decode_timestamp,
}


def encode(shape: Shape, value: Any) -> Any:
    """Convert a result to JSON; a member that the shape does not have is our own mistake."""
    return _encoder(shape)(value)


@cache
def _encoder(shape: Shape) -> Encoder:
    """Compile the conversion of a shape once: a batch of records has thousands of values."""
    return _ENCODERS.get(shape.type_name, lambda _shape: _as_it_is)(shape)


def _as_it_is(value: Any) -> Any:
    return value


def _later(shape: Shape) -> Encoder:
    """Compile a part at its first use: a shape may contain itself."""
    if shape.type_name in ("structure", "list", "map"):
        return lambda value: _encoder(shape)(value)  # noqa: PLW0108  the name is looked up late
    return _encoder(shape)


def _structure_encoder(shape: Shape) -> Encoder:
    if getattr(shape, "is_document_type", False):
        return _as_it_is
    members = {
        name: (member.serialization.get("name", name), _later(member))
        for name, member in shape.members.items()
    }

    def encode_structure(value: Mapping[str, Any]) -> Any:
        encoded = {}
        for name, item in value.items():
            if name not in members:
                raise ValueError(f"{shape.name} has no {name}")
            if item is not None:
                wire, convert = members[name]
                encoded[wire] = item if convert is _as_it_is else convert(item)
        return encoded

    return encode_structure


def _list_encoder(shape: Shape) -> Encoder:
    convert = _later(shape.member)
    return lambda value: [convert(item) for item in value]


def _map_encoder(shape: Shape) -> Encoder:
    convert = _later(shape.value)
    return lambda value: {key: convert(item) for key, item in value.items()}


def _timestamp_encoder(shape: Shape) -> Encoder:
    if shape.serialization.get("timestampFormat") == "iso8601":
        return lambda value: value.isoformat()
    return lambda value: value.timestamp()


_ENCODERS: dict[str, Callable[[Shape], Encoder]] = {
    "structure": _structure_encoder,
    "list": _list_encoder,
    "map": _map_encoder,
    "blob": lambda _shape: lambda value: base64.b64encode(value).decode(),
    "timestamp": _timestamp_encoder,
}
