"""SageMaker's RecordIO of protobuf records: the framing, and the few messages inside.

Framing, each record: magic 0xCED7230A and length as little-endian 32-bit numbers, the bytes, zeros
up to a multiple of four. Messages (aialgs.data): Record {1: features, 2: labels}, both maps of text
(1) to Value (2); Value {2: Float32Tensor, 3: Float64Tensor, 7: Int32Tensor}; tensors {1: values,
2: keys of a sparse row, 3: shape}, packed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = 0xCED7230A
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_TENSORS: dict[int, Any] = {2: np.dtype("<f4"), 3: np.dtype("<f8"), 7: None}
_VALUES, _KEYS, _SHAPE = 1, 2, 3


class MalformedRecordError(Exception):
    """The bytes are not RecordIO of protobuf records."""


@dataclass(frozen=True)
class Records:
    """The records' features as rows; labels may be absent."""

    features: npt.NDArray[np.float32]
    labels: npt.NDArray[np.float32] | None

    def labelled(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return features and labels; every record must have one."""
        if self.labels is None:
            raise MalformedRecordError("a record has no label")
        return self.features, self.labels


def read(content: bytes) -> Records:
    """Read all records."""
    rows, labels = [], []
    for record in _frames(content):
        fields = list(_fields(record))
        rows.append(_value(fields, 1))
        labels.append(_value(fields, 2))
    if not rows or any(row is None for row in rows):
        raise MalformedRecordError("there is no record, or one without features")
    width = max(len(row) for row in rows if row is not None)
    features = np.zeros((len(rows), width), np.float32)
    for number, row in enumerate(rows):
        if row is not None:
            features[number, : len(row)] = row
    known = [float(label[0]) for label in labels if label is not None]
    complete = len(known) == len(rows)
    return Records(features, np.asarray(known, np.float32) if complete else None)


def _frames(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        if len(content) - at < 8:  # noqa: PLR2004 - the two numbers before a record
            raise MalformedRecordError("the last record is cut off")
        magic, length = struct.unpack_from("<II", content, at)
        if magic != MAGIC:
            raise MalformedRecordError(f"no record begins at byte {at}")
        at += 8
        if at + length > len(content):
            raise MalformedRecordError("the last record is cut off")
        yield content[at : at + length]
        at += length + (-length % 4)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(message):
        value: Any
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
        elif kind == _BYTES:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        elif kind in (_EIGHT, _FOUR):
            size = 8 if kind == _EIGHT else 4
            value, at = message[at : at + size], at + size
        else:
            raise MalformedRecordError(f"a field of wire type {kind}")
        yield number, value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if at >= len(message):
            raise MalformedRecordError("a number is cut off")
        byte = message[at]
        result |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return result, at


def _value(fields: list[tuple[int, Any]], number: int) -> npt.NDArray[np.float64] | None:
    """Return the first entry of a record's map as one row of numbers."""
    for field, entry in fields:
        if field == number:
            value = dict(_fields(entry)).get(2, b"")
            for kind, tensor in _fields(value):
                if kind in _TENSORS:
                    return _tensor(tensor, _TENSORS[kind])
    return None


def _tensor(message: bytes, dtype: Any) -> npt.NDArray[np.float64]:
    packed: dict[int, bytes] = {_VALUES: b"", _KEYS: b"", _SHAPE: b""}
    for field, value in _fields(message):
        packed[field] = packed.get(field, b"") + value
    dense = packed[_VALUES]
    numbers = np.frombuffer(dense, dtype) if dtype is not None else np.array(_varints(dense))
    keys, shape = _varints(packed[_KEYS]), _varints(packed[_SHAPE])
    if not keys:
        return numbers.astype(np.float64)
    row = np.zeros(shape[-1] if shape else max(keys) + 1)
    row[keys] = numbers
    return row


def _varints(packed: bytes) -> list[int]:
    numbers, at = [], 0
    while at < len(packed):
        number, at = _varint(packed, at)
        numbers.append(number)
    return numbers
