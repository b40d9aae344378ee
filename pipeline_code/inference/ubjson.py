"""Decodes UBJSON, XGBoost's binary form of JSON; arrays of numbers become numpy arrays."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

_DTYPES = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_CONSTANTS = {"T": True, "F": False, "Z": None}
_STRUCTS = {mark: struct.Struct(dtype[0] + code) for mark, dtype, code in (
    ("i", ">i1", "b"), ("U", ">u1", "B"), ("I", ">i2", "h"), ("l", ">i4", "i"), ("L", ">i8", "q"),
    ("d", ">f4", "f"), ("D", ">f8", "d"),
)}  # fmt: skip


class UbjsonError(ValueError):
    """The bytes are no UBJSON; the message says where."""


def decode(content: bytes) -> Any:
    """Decode a whole document."""
    reader = _Reader(content)
    try:
        return reader.value(reader.mark())
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise UbjsonError(f"the document breaks off at byte {reader.position}") from error


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self.position = 0

    def mark(self) -> str:
        self.position += 1
        return chr(self._content[self.position - 1])

    def value(self, mark: str) -> Any:
        if mark in _STRUCTS:
            return self._number(mark)
        if mark in _CONSTANTS:
            return _CONSTANTS[mark]
        readers = {"S": self._text, "{": self._mapping, "[": self._array}
        if mark not in readers:
            raise UbjsonError(f"unknown mark {mark!r} before byte {self.position}")
        return readers[mark]()

    def _number(self, mark: str) -> int | float:
        layout = _STRUCTS[mark]
        (value,) = layout.unpack_from(self._content, self.position)
        self.position += layout.size
        return value  # type: ignore[no-any-return]  # struct knows no types

    def _text(self) -> str:
        length = int(self._number(self.mark()))
        text = self._content[self.position : self.position + length].decode("utf-8")
        self.position += length
        return text

    def _mapping(self) -> dict[str, Any]:
        values = {}
        while self._content[self.position : self.position + 1] != b"}":
            name = self._text()
            values[name] = self.value(self.mark())
        self.position += 1
        return values

    def _array(self) -> Any:
        kind, count = self._header()
        if kind in _DTYPES and count is not None:
            found = np.frombuffer(self._content, _DTYPES[kind], count, self.position)
            self.position += found.nbytes
            return found
        values: list[Any] = []
        while not self._at_end(len(values), count):
            values.append(self.value(kind or self.mark()))
        return values

    def _header(self) -> tuple[str, int | None]:
        """Read the optional type and count of an array."""
        kind, count = "", None
        if self._content[self.position : self.position + 1] == b"$":
            self.position += 1
            kind = self.mark()
        if self._content[self.position : self.position + 1] == b"#":
            self.position += 1
            count = int(self._number(self.mark()))
        return kind, count

    def _at_end(self, read: int, count: int | None) -> bool:
        if count is not None:
            return read >= count
        if self._content[self.position : self.position + 1] != b"]":
            return False
        self.position += 1
        return True
