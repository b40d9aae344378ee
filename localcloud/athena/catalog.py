"""Tables of the Glue Data Catalog, as the caller of a query may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from localcloud.athena.errors import QueryError

Column = tuple[str, str]
"""Name and Glue type, in lower case."""


@dataclass(frozen=True, order=True)
class TableName:
    """A table of the Glue Data Catalog."""

    database: str
    table: str


@dataclass(frozen=True)
class Partition:
    """Where a part of a table lies, and the values of the partition keys there."""

    location: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table: its format, columns, partition keys, and where its rows lie."""

    name: TableName
    location: str
    serde: str
    serde_parameters: Mapping[str, str]
    parameters: Mapping[str, str]
    columns: tuple[Column, ...]
    keys: tuple[Column, ...]
    parts: tuple[Partition, ...]


class Catalog:
    """Reads the catalog with a Glue client of the caller."""

    def __init__(self, glue: Any) -> None:
        self._glue = glue

    def table(self, name: TableName) -> Table:
        """Describe a table and its partitions; a partitioned one lies where those are."""
        found = self._find(name)
        storage = found.get("StorageDescriptor", {})
        serde = storage.get("SerdeInfo", {})
        keys = _columns(found.get("PartitionKeys", []))
        location = storage.get("Location", "")
        if not serde.get("SerializationLibrary") or not location:
            message = f"Table {name.database}.{name.table} has no SerDe or no location"
            raise QueryError("HIVE_INVALID_METADATA", message)
        return Table(
            name=name,
            location=location,
            serde=serde["SerializationLibrary"].rsplit(".", 1)[-1],
            serde_parameters=serde.get("Parameters", {}),
            parameters=found.get("Parameters", {}),
            columns=_columns(storage.get("Columns", [])),
            keys=keys,
            parts=self._partitions(name, keys) if keys else (Partition(location, ()),),
        )

    def _find(self, name: TableName) -> Mapping[str, Any]:
        try:
            answer = self._glue.get_table(DatabaseName=name.database, Name=name.table)
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            message = f"Table 'awsdatacatalog.{name.database}.{name.table}' does not exist"
            raise QueryError("TABLE_NOT_FOUND", message) from error
        table: Mapping[str, Any] = answer["Table"]
        return table

    def _partitions(self, name: TableName, keys: tuple[Column, ...]) -> tuple[Partition, ...]:
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=name.database, TableName=name.table
        )
        found = [partition for page in pages for partition in page["Partitions"]]
        for partition in found:
            if len(partition["Values"]) != len(keys):
                message = f"Partition {partition['Values']} of {name.table} has other keys"
                raise QueryError("HIVE_INVALID_METADATA", message)
        return tuple(
            Partition(each["StorageDescriptor"]["Location"], tuple(each["Values"]))
            for each in found
        )


def _columns(described: Any) -> tuple[Column, ...]:
    return tuple((each["Name"].lower(), each.get("Type", "string").lower()) for each in described)
