"""Labelled tables of numbers, from the content types that built-in algorithms take."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from localcloud.sagemaker.algorithms import recordio
from localcloud.sagemaker.algorithms.container import Channel, UserError

Floats = npt.NDArray[np.float32]
CSV = "text/csv"
LIBSVM = "text/libsvm"
PARQUET = "application/x-parquet"
RECORDIO = "application/x-recordio-protobuf"
_ALIASES = {
    "csv": CSV,
    "libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "parquet": PARQUET,
    "recordio-protobuf": RECORDIO,
}
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Table:
    """Rows of features with their labels; a missing value is NaN."""

    features: Floats
    labels: Floats


def media_type(text: str, default: str, allowed: Sequence[str]) -> str:
    """Read a content type, whose parameters say nothing that we need."""
    name = text.partition(";")[0].strip().lower() or default
    name = _ALIASES.get(name, name)
    if name not in allowed:
        raise UserError(
            f"Content type {text!r} is not supported by the algorithm; it takes "
            + ", ".join(allowed)
        )
    return name


def read_channel(channel: Channel, default: str, allowed: Sequence[str]) -> Table:
    """Read all files of a channel; the first column of a table is the label."""
    kind = media_type(channel.content_type, default, allowed)
    try:
        parts = [_labelled(kind, file.read_bytes(), file.name) for file in channel.files()]
    except (pa.ArrowInvalid, recordio.MalformedRecordError, ValueError) as error:
        raise UserError(f"Channel {channel.name} cannot be read as {kind}: {error}") from error
    widths = {part.features.shape[1] for part in parts}
    # A sparse file is as wide as its highest column; a table must be as wide as every other.
    if len(widths) > 1 and kind != LIBSVM:
        raise UserError(f"Channel {channel.name}: files have {sorted(widths)} feature columns")
    widest = max(widths)
    features = np.vstack([_widened(part.features, widest) for part in parts])
    return Table(features, np.concatenate([part.labels for part in parts]))


def read_rows(kind: str, body: bytes) -> Floats:
    """Read features alone, as a request to a server holds them."""
    if kind == LIBSVM:
        return _libsvm(body, "the request").features
    if kind == RECORDIO:
        return recordio.read(body).features
    return _csv(body, "the request")


def _labelled(kind: str, content: bytes, name: str) -> Table:
    read: dict[str, Callable[[bytes, str], Table]] = {
        CSV: lambda data, file: _split(_csv(data, file), file),
        PARQUET: lambda data, file: _split(_parquet(data, file), file),
        LIBSVM: _libsvm,
        RECORDIO: lambda data, _: Table(*recordio.read(data).labelled()),
    }
    return read[kind](content, name)


def _split(table: Floats, name: str) -> Table:
    if table.shape[1] < 2:  # noqa: PLR2004 - a label and a feature
        raise UserError(f"{name} has one column: the first is the label, features follow")
    return Table(np.ascontiguousarray(table[:, 1:]), np.ascontiguousarray(table[:, 0]))


def _csv(content: bytes, name: str) -> Floats:
    first = content.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    delimiter = next((each for each in _DELIMITERS if each in first), ",")
    table = pa.csv.read_csv(
        # Arrow takes a single line for a table only if it ends.
        io.BytesIO(content if content.endswith(b"\n") else content + b"\n"),
        read_options=pa.csv.ReadOptions(autogenerate_column_names=True, use_threads=False),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter),
        convert_options=pa.csv.ConvertOptions(null_values=["", "nan", "NaN", "NA", "null"]),
    )
    return _numbers(table, name)


def _parquet(content: bytes, name: str) -> Floats:
    return _numbers(pyarrow.parquet.read_table(io.BytesIO(content), use_threads=False), name)


def _numbers(table: Any, name: str) -> Floats:
    columns = []
    for number, column in enumerate(table.columns):
        if not _numeric(column.type):
            raise UserError(
                f"{name}: column {number} holds {column.type} values, for example "
                f"{column[0].as_py()!r}; all columns must be numbers, without a header"
            )
        columns.append(_floats(column))
    return np.column_stack(columns) if columns else np.empty((0, 0), np.float32)


def _numeric(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
    return any(test(kind) for test in tests)


def _floats(column: Any) -> Floats:
    values = column.cast(pa.float64()) if not pa.types.is_boolean(column.type) else column
    return np.asarray(values.to_numpy(zero_copy_only=False), np.float64).astype(np.float32)


def _libsvm(content: bytes, name: str) -> Table:
    """Read `label index:value ...` lines; what is not named is missing."""
    lines = [line.partition("#")[0].split() for line in content.decode("utf-8").splitlines()]
    parsed = [_libsvm_row(words) for words in lines if words]
    if not parsed:
        raise UserError(f"{name} holds no rows")
    width = 1 + max((index for _, row in parsed for index in row), default=0)
    features = np.full((len(parsed), width), np.nan, np.float32)
    for number, (_, row) in enumerate(parsed):
        features[number, list(row)] = list(row.values())
    return Table(features, np.asarray([label for label, _ in parsed], np.float32))


def _libsvm_row(words: list[str]) -> tuple[float, dict[int, float]]:
    # A request may leave the label out.
    label, pairs = ("nan", words) if ":" in words[0] else (words[0], words[1:])
    row = {int(index): float(value) for index, _, value in (p.partition(":") for p in pairs)}
    return float(label), row


def _widened(features: Floats, width: int) -> Floats:
    missing = width - features.shape[1]
    return np.pad(features, ((0, 0), (0, missing)), constant_values=np.nan)
