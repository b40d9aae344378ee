"""A query in Athena's SQL (Trino's), translated to DuckDB's, with the tables that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from localcloud.athena.catalog import TableName
from localcloud.athena.errors import QueryError

READS = "trino"
RUNS = "duckdb"
CATALOG = "awsdatacatalog"
HIDDEN = ("$path", "$file_size", "$file_modified_time")
"""Columns that every table has and `*` does not show."""


@dataclass(frozen=True)
class Statement:
    """What DuckDB runs, over one view a table, called as the table is."""

    sql: str
    tables: tuple[TableName, ...]
    wants_hidden: bool


def translate(query: str, database: str, parameters: Sequence[str] = ()) -> Statement:
    """Translate a query; raises ``QueryError`` for what is no query or cannot be translated.

    ``parameters`` are SQL literals that stand for its question marks, in their order.
    """
    tree = _filled(_parse(query), parameters)
    tables = {_place(table, database) for table in _tables(tree)}
    names = {column.name for column in tree.find_all(exp.Column)}
    try:
        sql = tree.sql(dialect=RUNS, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise QueryError("NOT_SUPPORTED", _limit(f"the translation failed: {error}")) from error
    return Statement(sql, tuple(sorted(tables)), bool(names & set(HIDDEN)))


def _parse(query: str) -> exp.Query:
    try:
        trees = [tree for tree in sqlglot.parse(query, read=READS) if tree is not None]
    except SqlglotError as error:
        raise QueryError("SYNTAX_ERROR", _plain(error)) from error
    if len(trees) != 1:
        raise QueryError("SYNTAX_ERROR", f"{len(trees)} statements given, one is allowed")
    (tree,) = trees
    if not isinstance(tree, exp.Query):
        kind = type(tree).__name__.upper()
        raise QueryError("NOT_SUPPORTED", _limit(f"{kind} statements are not; SELECT is"))
    return tree


def _filled(tree: exp.Query, parameters: Sequence[str]) -> exp.Query:
    marks = list(tree.find_all(exp.Placeholder, bfs=False))
    if len(marks) != len(parameters):
        message = f"{len(parameters)} execution parameters given, the query has {len(marks)}"
        raise QueryError("INVALID_PARAMETER_USAGE", message)
    for mark, literal in zip(marks, parameters, strict=True):
        mark.replace(_parse(f"SELECT {literal}").expressions[0])
    return tree


def _plain(error: SqlglotError) -> str:
    """Take the first sentence, without the marks of a terminal."""
    details = getattr(error, "errors", None)
    if not details:
        return str(error)
    first = details[0]
    return f"line {first['line']}:{first['col']}: {first['description']}"


def _tables(tree: exp.Query) -> list[exp.Table]:
    """Find the tables that are read; names of common table expressions are none."""
    return [
        source
        for scope in traverse_scope(tree)
        for source in scope.sources.values()
        if isinstance(source, exp.Table)
    ]


def _place(table: exp.Table, database: str) -> TableName:
    """Name a table in full, there where it stands in the query."""
    if not isinstance(table.this, exp.Identifier):
        raise QueryError("NOT_SUPPORTED", _limit(f"the table function {table.sql(READS)} is not"))
    if table.catalog.lower() not in ("", CATALOG):
        message = f"Catalog '{table.catalog}' does not exist; {CATALOG} is the only one"
        raise QueryError("CATALOG_NOT_FOUND", message)
    name = TableName((table.db or database).lower(), table.name.lower())
    table.set("catalog", None)
    table.set("db", exp.to_identifier(name.database, quoted=True))
    table.set("this", exp.to_identifier(name.table, quoted=True))
    return name


def _limit(message: str) -> str:
    return f"the embedded Athena runs Trino's SQL on DuckDB: {message}"
