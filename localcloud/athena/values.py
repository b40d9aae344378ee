"""Values of a result as Athena writes them: text, or nothing for a null."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

ATHENA_TYPES = {
    "VARCHAR": "varchar",
    "BOOLEAN": "boolean",
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "bigint",
    "FLOAT": "float",
    "DOUBLE": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "BLOB": "varbinary",
}
_PRECISIONS = {
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "float": 17,
    "double": 17,
    "varchar": 2147483647,
    "timestamp": 3,
    "timestamp with time zone": 3,
}
_PLAIN_FROM, _PLAIN_BELOW = 1e-3, 1e7


def athena_type(duckdb_type: str) -> str:
    """Give Athena's name of a type of DuckDB."""
    if duckdb_type.startswith("DECIMAL"):
        return "decimal"
    if duckdb_type.endswith("[]"):
        return "array"
    if duckdb_type.startswith("STRUCT"):
        return "row"
    return ATHENA_TYPES.get(duckdb_type, "map" if duckdb_type.startswith("MAP") else "varchar")


def precision(kind: str) -> int:
    """Give the digits of a type, 0 where it has none."""
    return _PRECISIONS.get(kind, 0)


def as_text(value: Any) -> str | None:
    """Write a value."""
    if value is None:
        return None
    writer = _WRITERS.get(type(value))
    return writer(value) if writer else str(value)


def _float(value: float) -> str:
    """Write a double as Java does."""
    if value != value:  # noqa: PLR0124  NaN alone differs from itself
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        return repr(value)
    digits, _, exponent = f"{value:e}".partition("e")
    shortest = repr(value).lower().partition("e")[0].replace(".", "").strip("-").strip("0")
    sign = "-" if value < 0 else ""
    mantissa = f"{shortest[:1]}.{shortest[1:] or '0'}" if shortest else digits
    return f"{sign}{mantissa}E{int(exponent)}"


def _datetime(value: datetime) -> str:
    written = value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
    return f"{written} UTC" if value.tzinfo else written


def _list(value: list[Any]) -> str:
    return "[" + ", ".join(_inner(each) for each in value) + "]"


def _mapping(value: dict[Any, Any]) -> str:
    return "{" + ", ".join(f"{key}={_inner(each)}" for key, each in value.items()) + "}"


def _inner(value: Any) -> str:
    written = as_text(value)
    return "null" if written is None else written


_WRITERS: dict[type, Callable[[Any], str]] = {
    bool: json.dumps,
    float: _float,
    datetime: _datetime,
    list: _list,
    dict: _mapping,
}
