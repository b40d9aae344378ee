"""Reads the named arrays of an MXNet parameter file, which Linear Learner leaves, without MXNet."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

LIST_MAGIC = 0x112
ARRAY_MAGICS = (0xF993FAC9, 0xF993FACA)
"""Version 2, and 3 which knows empty shapes."""
DENSE = 0
DTYPES: Mapping[int, str] = {0: "<f4", 1: "<f8"}


class ArraysError(ValueError):
    """The bytes are no parameter file that can be read here."""


def read_arrays(content: bytes) -> dict[str, npt.NDArray[np.float64]]:
    """Read all arrays by name; float32 and float64 ones, dense."""
    reader = _Reader(content)
    try:
        (magic, _, count) = reader.take("<QQQ")
        if magic != LIST_MAGIC:
            raise ArraysError(f"the file starts with {magic:#x}, a parameter file with 0x112")
        arrays = [reader.array() for _ in range(count)]
        (named,) = reader.take("<Q")
        names = [reader.text() for _ in range(named)]
    except struct.error as error:
        raise ArraysError(f"the file breaks off: {error}") from error
    return dict(zip(names, arrays, strict=True))


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(layout, self._content, self._position)
        self._position += struct.calcsize(layout)
        return values

    def text(self) -> str:
        (length,) = self.take("<Q")
        return self._bytes(length).decode("utf-8")

    def array(self) -> npt.NDArray[np.float64]:
        magic, storage, dimensions = self.take("<Iii")
        if magic not in ARRAY_MAGICS or storage != DENSE:
            raise ArraysError(f"an array is of kind {magic:#x}/{storage}, must be dense version 2")
        shape = self.take(f"<{dimensions}q")
        _device, _number, kind = self.take("<iii")
        if kind not in DTYPES:
            raise ArraysError(f"an array has type {kind}, must be one of {sorted(DTYPES)}")
        dtype = np.dtype(DTYPES[kind])
        raw = self._bytes(int(np.prod(shape)) * dtype.itemsize)
        return np.frombuffer(raw, dtype).reshape(shape).astype(np.float64)

    def _bytes(self, length: int) -> bytes:
        found = self._content[self._position : self._position + length]
        if len(found) != length:
            raise ArraysError(f"the file breaks off at byte {self._position}")
        self._position += length
        return found
