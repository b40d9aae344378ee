"""A YAML file of a use case, read so that an error says file, field, value and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import cast

import yaml

PACKAGE = "use_cases"


class UseCaseError(ValueError):
    """A file of the use case is wrong: which, in what field, its value and what is allowed."""


class Node:
    """A mapping in a YAML file that knows where it stands, so that errors can say it."""

    def __init__(self, where: str, value: object) -> None:
        if not isinstance(value, dict):
            raise UseCaseError(f"{where}: is {value!r}, must be a mapping")
        self.where = where
        self._value: dict[str, object] = value

    def items(self) -> Iterator[tuple[str, Node]]:
        """Go through the children by name."""
        return ((key, self.child(key)) for key in self._value)

    def plain(self) -> dict[str, object]:
        """Give the mapping as it was read."""
        return dict(self._value)

    def child(self, key: str) -> Node:
        """Take a child that is a mapping."""
        return Node(f"{self.where}: {key}", self._get(key))

    def children(self, key: str) -> list[Node]:
        """Read a list of mappings, empty when absent."""
        value = self._value.get(key, [])
        if not isinstance(value, list):
            raise self._wrong(key, value, "a list")
        return [Node(f"{self.where}: {key}[{i}]", item) for i, item in enumerate(value)]

    def text(self, key: str, default: str | None = None) -> str:
        """Read a text."""
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, value, "text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a list of texts, empty when absent."""
        value = self._value.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self._wrong(key, value, "a list of texts (quoted)")
        return tuple(value)

    def has(self, key: str) -> bool:
        """Tell whether there is a value."""
        return self._value.get(key) is not None

    def integer(self, key: str) -> int:
        """Read a whole number."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, value, "a whole number")
        return value

    def share(self, key: str) -> float:
        """Read a share between 0 and 1."""
        value = self._get(key)
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self._wrong(key, value, "a number from 0 to 1")
        return float(value)

    def hours(self, key: str) -> float:
        """Read a positive number of hours."""
        value = self._get(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            raise self._wrong(key, value, "a number of hours above 0")
        return float(value)

    def matching(self, key: str, pattern: str, must_be: str) -> str:
        """Read a text of a given form."""
        value = self.text(key)
        if not re.fullmatch(pattern, value):
            raise self._wrong(key, value, must_be)
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._value.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def bounds(self, key: str) -> tuple[float | None, float | None]:
        """Read the two ends of a range, both none when absent."""
        value = self._value.get(key)
        if value is None:
            return None, None
        if not _is_range(value):
            raise self._wrong(key, value, "[lowest, highest]")
        low, high = cast("list[float]", value)
        return low, high

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """Read one of the allowed texts."""
        value = self.text(key)
        if value not in allowed:
            raise self._wrong(key, value, f"one of {', '.join(allowed)}")
        return value

    def only(self, allowed: Sequence[str]) -> None:
        """Refuse a key that nothing reads: it is a misspelling."""
        for key in self._value:
            if key not in allowed:
                raise UseCaseError(
                    f"{self.where}: {key} is unknown, allowed are {', '.join(allowed)}"
                )

    def _get(self, key: str, default: object = None) -> object:
        value = self._value.get(key, default)
        if value is None:
            raise UseCaseError(f"{self.where}: {key} is missing")
        return value

    def _wrong(self, key: str, value: object, must_be: str) -> UseCaseError:
        return UseCaseError(f"{self.where}: {key} is {value!r}, must be {must_be}")


def _is_range(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004 - a range has two ends
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
        and value[0] <= value[1]
    )


def has_file(use_case: str, file: str) -> bool:
    """Tell whether a use case has a file that it may leave out."""
    return files(f"{PACKAGE}.{use_case}").joinpath(file).is_file()


def read_yaml(use_case: str, file: str) -> Node:
    """Read a file of a use case, whose top is a mapping."""
    where = f"{PACKAGE}/{use_case}/{file}"
    try:
        text = files(f"{PACKAGE}.{use_case}").joinpath(file).read_text(encoding="utf-8")
    except ModuleNotFoundError as error:
        raise UseCaseError(
            f"use case {use_case!r}: there is no folder {PACKAGE}/{use_case}"
        ) from error
    except FileNotFoundError as error:
        raise UseCaseError(f"{where}: the file is missing") from error
    try:
        return Node(where, yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise UseCaseError(f"{where}: is no YAML: {error}") from error
