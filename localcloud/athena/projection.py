"""Partitions that no catalog lists: Athena projects them from a table's parameters.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from localcloud.athena.catalog import Partition, Table
from localcloud.athena.errors import QueryError

_PLACE = re.compile(r"\$\{([^}]+)\}")
_FORMAT = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


def is_projected(table: Table) -> bool:
    """Tell whether the partitions that the catalog lists are ignored."""
    return table.parameters.get("projection.enabled", "").lower() == "true" and bool(table.keys)


def root_of(table: Table) -> str:
    """Give the location that all of a table's partitions lie below."""
    return _template(table).split("${", 1)[0].rsplit("/", 1)[0]


def projected(table: Table, addresses: Iterable[str]) -> Iterator[Partition]:
    """Give the partitions in which these objects lie, those within the projected values."""
    template = _template(table)
    names = [name.lower() for name in _PLACE.findall(template)]
    pattern = re.compile(_PLACE.sub("([^/]+)", re.sub(r"[.+()\[\]]", r"\\\g<0>", template)) + "/")
    found = {match.group(0): match.groups() for match in map(pattern.match, addresses) if match}
    for location, values in sorted(found.items()):
        by_name = dict(zip(names, values, strict=True))
        if all(_is_projected(table.parameters, name, value) for name, value in by_name.items()):
            yield Partition(location, tuple(by_name[name] for name, _ in table.keys))


def _template(table: Table) -> str:
    hive = "/".join(f"{name}=${{{name}}}" for name, _ in table.keys)
    stored = table.parameters.get("storage.location.template")
    return (stored or f"{table.location.rstrip('/')}/{hive}").rstrip("/")


def _is_projected(parameters: Mapping[str, str], name: str, value: str) -> bool:
    def parameter(kind: str) -> str:
        return parameters.get(f"projection.{name}.{kind}", "")

    kind = parameter("type").lower()
    if kind == "enum":
        return value in (each.strip() for each in parameter("values").split(","))
    if kind == "integer":
        first, last = (int(each) for each in parameter("range").split(","))
        return value.isdigit() and first <= int(value) <= last
    if kind == "date":
        return _is_in_range(parameter("range"), parameter("format"), value)
    message = f"The embedded Athena does not project column {name} of type {kind or 'none'}"
    raise QueryError("HIVE_METASTORE_ERROR", message)


def _is_in_range(span: str, java_format: str, value: str) -> bool:
    form = re.sub("yyyy|MM|dd|HH|mm|ss", lambda match: _FORMAT[match.group()], java_format)
    try:
        first, last = (_moment(each.strip(), form) for each in span.split(","))
    except ValueError as error:
        message = f"The embedded Athena does not know the range {span} of format {java_format}"
        raise QueryError("HIVE_METASTORE_ERROR", message) from error
    try:
        return first <= _moment(value, form) <= last
    except ValueError:
        return False


def _moment(text: str, form: str) -> datetime:
    if text == "NOW":
        return datetime.now(UTC)
    return datetime.strptime(text, form).replace(tzinfo=UTC)
