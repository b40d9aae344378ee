"""A table's files as a DuckDB relation: columns and types as the catalog declares them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import duckdb

from localcloud.athena.catalog import Column, Partition, Table
from localcloud.athena.errors import QueryError
from localcloud.athena.objects import Object

TYPES = {
    "string": "VARCHAR",
    "char": "VARCHAR",
    "varchar": "VARCHAR",
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "binary": "BLOB",
}
WIDENED = {
    "SMALLINT": {"TINYINT"},
    "INTEGER": {"TINYINT", "SMALLINT"},
    "BIGINT": {"TINYINT", "SMALLINT", "INTEGER"},
    "DOUBLE": {"FLOAT"},
    "TIMESTAMP": {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMP_MS"},
}
"""Types of a Parquet file that Athena reads into a column of another type."""


def relation(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    found: Sequence[tuple[Partition, Sequence[Object]]],
    *,
    with_hidden: bool,
) -> str:
    """Give the SQL of a table's rows, its partitions one after the other."""
    filled = [(part, objects) for part, objects in found if objects]
    if not filled:
        return _empty(table, with_hidden=with_hidden)
    selects = [
        _select(connection, table, part, objects, with_hidden=with_hidden)
        for part, objects in filled
    ]
    return " UNION ALL ".join(selects)


def duck_type(kind: str) -> str:
    """Give DuckDB's name of a Glue type."""
    base = kind.split("(", 1)[0]
    if base == "decimal":
        return kind.upper()
    if base not in TYPES:
        message = f"the embedded Athena reads no column of type {kind}; it reads {', '.join(TYPES)}"
        raise QueryError("NOT_SUPPORTED", message)
    return TYPES[base]


def _select(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    part: Partition,
    objects: Sequence[Object],
    *,
    with_hidden: bool,
) -> str:
    if table.serde not in _FORMATS:
        message = f"the embedded Athena reads no {table.serde}; it reads {', '.join(_FORMATS)}"
        raise QueryError("NOT_SUPPORTED", message)
    files = "[" + ", ".join(text(str(each.file)) for each in objects) + "]"
    source, expressions = _FORMATS[table.serde](connection, table, files)
    columns = [f"{expressions[name]} AS {quoted(name)}" for name, _ in table.columns]
    for (name, kind), value in zip(table.keys, part.values, strict=True):
        columns.append(f"CAST({text(value)} AS {duck_type(kind)}) AS {quoted(name)}")
    if with_hidden:
        columns.extend(_hidden(objects))
    return f"SELECT {', '.join(columns)} FROM {source}"  # noqa: S608  quoted, and confined


def _empty(table: Table, *, with_hidden: bool) -> str:
    columns = [*table.columns, *table.keys]
    if with_hidden:
        columns += [("$path", "string"), ("$file_size", "bigint")]
        columns += [("$file_modified_time", "timestamp")]
    typed = [f"CAST(NULL AS {duck_type(kind)}) AS {quoted(name)}" for name, kind in columns]
    return f"SELECT {', '.join(typed)} WHERE false"


def _hidden(objects: Sequence[Object]) -> list[str]:
    """Columns of the file that a row lies in, looked up by the file's name."""

    def of_file(values: Sequence[str], kind: str) -> str:
        keys = ", ".join(text(str(each.file)) for each in objects)
        chosen = f"map([{keys}], [{', '.join(values)}])[filename]"
        return f"CAST({chosen} AS {kind})"

    times = [text(each.modified.strftime("%Y-%m-%d %H:%M:%S.%f")) for each in objects]
    return [
        f'{of_file([text(each.uri) for each in objects], "VARCHAR")} AS "$path"',
        f'{of_file([str(each.size_bytes) for each in objects], "BIGINT")} AS "$file_size"',
        f'{of_file(times, "TIMESTAMP")} AS "$file_modified_time"',
    ]


Source = tuple[str, dict[str, str]]


def _parquet(connection: duckdb.DuckDBPyConnection, table: Table, files: str) -> Source:
    source = f"read_parquet({files}, union_by_name = true, filename = true)"
    found = {
        row[0].lower(): row[1] for row in connection.execute(f"DESCRIBE FROM {source}").fetchall()
    }
    return source, {name: _from_parquet(table, name, kind, found) for name, kind in table.columns}


def _from_parquet(table: Table, name: str, kind: str, found: dict[str, str]) -> str:
    if name not in found:
        return f"CAST(NULL AS {duck_type(kind)})"
    wanted, actual = duck_type(kind), found[name]
    if actual != wanted and actual not in WIDENED.get(wanted, set()):
        message = (
            f"Field {name}'s type {actual} in the Parquet files of {table.name.table} "
            f"is incompatible with type {kind} defined in table schema"
        )
        raise QueryError("HIVE_BAD_DATA", message)
    return f"CAST({quoted(name)} AS {wanted})"


def _json(_: duckdb.DuckDBPyConnection, table: Table, files: str) -> Source:
    columns = ", ".join(f"{quoted(name)}: {text(duck_type(kind))}" for name, kind in table.columns)
    source = (
        f"read_json({files}, format = 'newline_delimited', columns = {{{columns}}}, "
        "filename = true)"
    )
    return source, {name: quoted(name) for name, _ in table.columns}


def _lines(_: duckdb.DuckDBPyConnection, table: Table, files: str) -> Source:
    """Hive's plain text: no quotes; what is no number where one is declared is null."""
    separator = table.serde_parameters.get("field.delim", "\x01")
    null = table.serde_parameters.get("serialization.null.format", "\\N")
    source = (
        f"read_csv({files}, columns = {{'line': 'VARCHAR'}}, delim = '\x1d', quote = '', "
        f"escape = '', header = false, auto_detect = false, skip = {_header(table)}, "
        "filename = true)"
    )
    expressions = {}
    for number, column in enumerate(table.columns, start=1):
        value = f"nullif(string_split(line, {text(separator)})[{number}], {text(null)})"
        expressions[column[0]] = _lenient(value, column)
    return source, expressions


def _quoted_csv(_: duckdb.DuckDBPyConnection, table: Table, files: str) -> Source:
    """CSV with quotes: columns by their position; one that a record lacks is null."""
    given = table.serde_parameters
    quote = given.get("quoteChar", '"')
    places = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(table.columns)))
    source = (
        f"read_csv({files}, columns = {{{places}}}, delim = {text(given.get('separatorChar', ','))}"
        f", quote = {text(quote)}, escape = {text(quote)}, header = false, auto_detect = false, "
        f"skip = {_header(table)}, null_padding = true, nullstr = '\x1d', filename = true)"
    )
    expressions = {}
    for number, (name, kind) in enumerate(table.columns):
        if kind != "string":
            message = f"column {name} of {table.name.table} is {kind}; OpenCSVSerde reads text"
            raise QueryError("HIVE_BAD_DATA", message)
        expressions[name] = f"c{number}"
    return source, expressions


def _header(table: Table) -> int:
    return int(table.parameters.get("skip.header.line.count", "0"))


def _lenient(value: str, column: Column) -> str:
    kind = duck_type(column[1])
    return value if kind == "VARCHAR" else f"try_cast({value} AS {kind})"


def quoted(name: str) -> str:
    """Write an identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Write a text literal."""
    return "'" + value.replace("'", "''") + "'"


_FORMATS: dict[str, Callable[[Any, Table, str], Source]] = {
    "ParquetHiveSerDe": _parquet,
    "JsonSerDe": _json,
    "LazySimpleSerDe": _lines,
    "OpenCSVSerde": _quoted_csv,
}
