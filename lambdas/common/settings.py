"""A function's environment variables as one typed, checked value."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from lambdas.common.errors import SettingError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")


def read_settings(kind: type[S], environment: Mapping[str, str]) -> S:
    """Fill a dataclass whose fields are named like the variables, in lower case.

    A field is ``str``, ``int`` or ``list[str]`` (a JSON list); one with a default may be absent.
    """
    return kind(**{field.name: _value(field, environment) for field in fields(kind)})


def _value(field: Field[Any], environment: Mapping[str, str]) -> Any:
    name = field.name.upper()
    text = environment.get(name, "")
    if text:
        return _PARSERS[str(field.type)](name, text)
    if field.default is not MISSING:
        return field.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    raise SettingError(name=name, value=text, allowed="set, and not empty")


def _text(_name: str, text: str) -> str:
    return text


def _integer(name: str, text: str) -> int:
    if not text.isdecimal():
        raise SettingError(name=name, value=text, allowed="a whole number")
    return int(text)


def _texts(name: str, text: str) -> list[str]:
    error = SettingError(name=name, value=text, allowed="a JSON list of texts")
    try:
        values = json.loads(text)
    except ValueError:
        raise error from None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise error
    return values


_PARSERS: dict[str, Callable[[str, str], Any]] = {
    "str": _text,
    "int": _integer,
    "list[str]": _texts,
}
