"""The tables for people and dashboards that a use case declares in ``analytics.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline_code.yaml_node import Node, UseCaseError, has_file, read_yaml

ANALYTICS_FILE = "analytics.yaml"
GLUE_TYPES = {"string": "string", "integer": "bigint", "number": "double"}
TABLE_KEYS = ("description", "key", "columns")
COLUMN_KEYS = ("name", "type", "unit", "description")
NAME = r"[a-z][a-z0-9_]*"
RESERVED_TABLES = ("datasets", "quarantine", "labels")
RESERVED_COLUMNS = ("dataset", "pk", "sk")
"""The catalog's partition key and the look-up table's keys."""


@dataclass(frozen=True)
class AnalyticsColumn:
    """One column: what it says, and in which unit."""

    name: str
    type: str
    unit: str
    description: str

    @property
    def glue_type(self) -> str:
        """Its type in the catalog."""
        return GLUE_TYPES[self.type]

    @property
    def comment(self) -> str:
        """What the catalog says of it."""
        return f"{self.description} ({self.unit})" if self.unit else self.description


@dataclass(frozen=True)
class AnalyticsTable:
    """A small table: no two rows have the same key, and each is looked up by it."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[AnalyticsColumn, ...]


def load_analytics(use_case: str, *, taken: tuple[str, ...] = ()) -> Mapping[str, AnalyticsTable]:
    """Read and check ``analytics.yaml``, if there is one; ``taken`` are other tables' names."""
    if not has_file(use_case, ANALYTICS_FILE):
        return {}
    node = read_yaml(use_case, ANALYTICS_FILE)
    node.only(("tables",))
    tables = {name: _table(name, child) for name, child in node.child("tables").items()}
    for name in tables:
        if name in (*RESERVED_TABLES, *taken):
            raise UseCaseError(f"{node.where}: {name}: another table of the catalog has this name")
    return tables


def _table(name: str, node: Node) -> AnalyticsTable:
    node.only(TABLE_KEYS)
    _check_name(node.where, name)
    columns = tuple(_column(child) for child in node.children("columns"))
    table = AnalyticsTable(name, node.text("description"), node.texts("key"), columns)
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        raise UseCaseError(f"{node.where}: columns holds a name twice; names are unique")
    if not table.key:
        raise UseCaseError(f"{node.where}: key is missing: name the columns that identify a row")
    for column in table.key:
        if column not in names:
            raise UseCaseError(f"{node.where}: key names {column!r}, which is not in columns")
    return table


def _column(node: Node) -> AnalyticsColumn:
    node.only(COLUMN_KEYS)
    name = node.text("name")
    _check_name(node.where, name)
    if name in RESERVED_COLUMNS:
        raise UseCaseError(f"{node.where}: {name!r} is reserved; choose another name")
    return AnalyticsColumn(
        name=name,
        type=node.choice("type", tuple(GLUE_TYPES)),
        unit=node.text("unit", ""),
        description=node.text("description"),
    )


def _check_name(where: str, name: str) -> None:
    if not re.fullmatch(NAME, name):
        raise UseCaseError(f"{where}: {name!r}: a name is lower case letters, digits and _")
