"""Runs one query: finds its tables, fetches their objects, asks DuckDB."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import duckdb

from localcloud.athena.catalog import Catalog, Partition, Table
from localcloud.athena.errors import QueryError, ScanLimitError, Stopped
from localcloud.athena.objects import Object, Objects
from localcloud.athena.projection import is_projected, projected, root_of
from localcloud.athena.relations import quoted, relation, text
from localcloud.athena.result import Result
from localcloud.athena.statement import Statement
from localcloud.athena.values import as_text, athena_type

MEMORY = "1GB"


class Engine:
    """Runs one query, and may be stopped from another thread."""

    def __init__(self, catalog: Catalog, objects: Objects, scan_limit: int | None) -> None:
        self._catalog = catalog
        self._objects = objects
        self._scan_limit = scan_limit
        self._stopped = threading.Event()
        self._connection = duckdb.connect(":memory:")
        self._scanned = 0

    def stop(self) -> None:
        """End the query as soon as possible."""
        self._stopped.set()
        self._connection.interrupt()

    def run(self, statement: Statement) -> Result:
        """Answer a query; raises ``QueryError``, ``ScanLimitError``, ``Stopped``."""
        try:
            self._prepare()
            for name in statement.tables:
                self._view(self._catalog.table(name), with_hidden=statement.wants_hidden)
            return self._ask(statement.sql)
        except duckdb.InterruptException as error:
            raise Stopped from error
        except duckdb.Error as error:
            message = f"the embedded Athena runs Trino's SQL on DuckDB, which says: {error}"
            raise QueryError("GENERIC_USER_ERROR", message) from error
        finally:
            self._connection.close()

    def _prepare(self) -> None:
        self._objects.folder.mkdir(parents=True, exist_ok=True)
        for setting in (
            f"memory_limit = '{MEMORY}'",
            "TimeZone = 'UTC'",
            # Trino divides whole numbers to whole numbers.
            "integer_division = true",
            f"temp_directory = {text(str(self._objects.folder / 'spill'))}",
            # A query reads its tables and nothing else of this machine.
            f"allowed_directories = [{text(str(self._objects.folder))}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            self._connection.execute(f"SET {setting}")

    def _view(self, table: Table, *, with_hidden: bool) -> None:
        found = self._objects_of(table)
        self._fetch(found)
        schema = quoted(table.name.database)
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        rows = relation(self._connection, table, found, with_hidden=with_hidden)
        view = f"{schema}.{quoted(table.name.table)}"
        self._connection.execute(f"CREATE VIEW {view} AS {rows}")

    def _objects_of(self, table: Table) -> list[tuple[Partition, list[Object]]]:
        if not is_projected(table):
            return [(part, self._objects.below(part.location)) for part in table.parts]
        objects = self._objects.below(root_of(table))
        parts = projected(table, (each.uri for each in objects))
        return [(p, [o for o in objects if o.uri.startswith(p.location)]) for p in parts]

    def _fetch(self, found: Sequence[tuple[Partition, Sequence[Object]]]) -> None:
        for _, objects in found:
            self._scanned += sum(each.size_bytes for each in objects)
            if self._scan_limit is not None and self._scanned > self._scan_limit:
                raise ScanLimitError
            if self._stopped.is_set():
                raise Stopped
            self._objects.fetch(objects)

    def _ask(self, sql: str) -> Result:
        if self._stopped.is_set():
            raise Stopped
        answer = self._connection.execute(sql)
        described = answer.description or []
        columns = tuple((each[0], athena_type(str(each[1]))) for each in described)
        rows = tuple(tuple(as_text(value) for value in row) for row in answer.fetchall())
        return Result(columns, rows, self._scanned)
