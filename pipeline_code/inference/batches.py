"""Requests of many rows: JSON Lines, CSV, Parquet and Arrow become instances."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pipeline_code.inference.contract import MAX_BATCH_INSTANCES
from pipeline_code.inference.media_types import ARROW, CSV, JSON_LINES, PARQUET, MediaType
from pipeline_code.inference.validation import BadRequestError, Inputs, Instance, parse_json

if TYPE_CHECKING:
    import pyarrow as pa

MAX_TABLE_BYTES = 256 * 1024 * 1024
"""What a Parquet file may unpack to."""


def instances_of(body: bytes, media_type: MediaType, inputs: Inputs) -> list[Any]:
    """Read the instances of a batch; they are not validated yet."""
    readers: Mapping[str, Callable[[], Iterable[Any]]] = {
        JSON_LINES: lambda: _json_lines(body),
        CSV: lambda: _csv(body, inputs, header=media_type.header),
        PARQUET: lambda: _table(_parquet(body), inputs),
        ARROW: lambda: _table(_arrow(body), inputs),
    }
    instances = []
    for instance in readers[media_type.name]():
        instances.append(instance)
        _check_count(len(instances))
    if not instances:
        raise BadRequestError("The body holds no row.")
    return instances


def _check_count(rows: int) -> None:
    if rows > MAX_BATCH_INSTANCES:
        raise BadRequestError(f"The body holds more than {MAX_BATCH_INSTANCES} rows.")


def _json_lines(body: bytes) -> Iterator[Any]:
    for number, line in enumerate(body.splitlines(), start=1):
        if line.strip():
            try:
                yield msgspec.json.decode(line)
            except (msgspec.MsgspecError, RecursionError):
                yield parse_json(line, f"Line {number}")


def _csv(body: bytes, inputs: Inputs, *, header: bool | None) -> Iterator[Instance]:
    try:
        lines = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        rows = iter([row for row in lines if row])
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRequestError(f"The body is not CSV in UTF-8: {error}") from error
    names = [name for fields in inputs.values() for name in fields]
    first = next(rows, None)
    if first is None:
        return
    if header is None:
        header = set(first) <= set(names)
    if header:
        _check_names(first, names)
        names = first
    else:
        yield _of_texts(first, names, inputs, 1)
    for number, row in enumerate(rows, start=2):
        yield _of_texts(row, names, inputs, number)


def _of_texts(row: list[str], names: list[str], inputs: Inputs, number: int) -> Instance:
    if len(row) != len(names):
        detail = f"Row {number} has {len(row)} values, must have {len(names)}: {', '.join(names)}."
        raise BadRequestError(detail)
    return _grouped(dict(zip(names, row, strict=True)), inputs, _of_text)


def _check_names(given: Sequence[str], names: Sequence[str]) -> None:
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise BadRequestError(f"The columns {unknown[:50]} are unknown; there are {list(names)}.")
    if len(set(given)) != len(given):
        raise BadRequestError("A column is named twice.")


def _parquet(body: bytes) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - takes longer to import than the rest together
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        file = pq.ParquetFile(io.BytesIO(body))
        _check_count(file.metadata.num_rows)
        groups = (file.metadata.row_group(n) for n in range(file.metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > MAX_TABLE_BYTES:
            raise BadRequestError(f"The table unpacks to more than {MAX_TABLE_BYTES} bytes.")
        return file.read()
    except (pa.ArrowException, OSError) as error:
        raise BadRequestError(f"The body is not a Parquet file: {error}") from error


def _arrow(body: bytes) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415

    try:
        with pa.ipc.open_stream(body) as stream:
            batches, rows = [], 0
            for batch in stream:
                rows += batch.num_rows
                _check_count(rows)
                batches.append(batch)
            return pa.Table.from_batches(batches, stream.schema)
    except (pa.ArrowException, OSError) as error:
        raise BadRequestError(f"The body is not an Arrow stream: {error}") from error


def _table(table: pa.Table, inputs: Inputs) -> Iterator[Instance]:
    _check_names(table.column_names, [name for fields in inputs.values() for name in fields])
    for row in table.to_pylist():
        yield _grouped(row, inputs, _of_value)


def _grouped(
    row: Mapping[str, Any], inputs: Inputs, convert: Callable[[Any, str], object]
) -> Instance:
    """Put a flat row's values into their groups; a group without a value is a missing source."""
    instance: Instance = {}
    for position, (group, fields) in enumerate(inputs.items()):
        values = {
            name: convert(row[name], field.type) for name, field in fields.items() if name in row
        }
        given = position == 0 or any(value is not None for value in values.values())
        instance[group] = values if given else None
    return instance


def _of_text(text: str, kind: str) -> object:
    """Read a value; what is no number stays a text, which validation then names."""
    if text == "":
        return None
    if kind not in ("number", "integer"):
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _of_value(value: Any, kind: str) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, datetime) and kind == "datetime":
        whole = value.second == value.microsecond == 0
        return value.replace(tzinfo=None).isoformat(timespec="minutes" if whole else "auto")
    return value
