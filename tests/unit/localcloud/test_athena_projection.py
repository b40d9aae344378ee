"""Partitions are projected from a table's parameters, as Athena does."""

from __future__ import annotations

import pytest

from localcloud.athena.catalog import Partition, Table, TableName
from localcloud.athena.errors import QueryError
from localcloud.athena.projection import is_projected, projected, root_of

ADDRESSES = [
    f"s3://lake.of/rows/{name}/a.json"
    for name in ("day=2026-01-31/kind=x", "day=2025-12-31/kind=x", "day=2026-02-01/kind=z")
]
DAY = {
    "projection.enabled": "true",
    "projection.day.type": "date",
    "projection.day.format": "yyyy-MM-dd",
    "projection.day.range": "2026-01-01,NOW",
    "projection.kind.type": "enum",
    "projection.kind.values": "x, y",
}


def table(parameters, keys=(("day", "string"), ("kind", "string"))):
    name = TableName("db", "rows")
    return Table(name, "s3://lake.of/rows/", "JsonSerDe", {}, parameters, (), keys, ())


def test_partitions_within_the_projected_values_are_found_by_their_hive_names():
    rows = table(DAY)
    assert is_projected(rows)
    assert root_of(rows) == "s3://lake.of/rows"
    assert list(projected(rows, ADDRESSES)) == [
        Partition("s3://lake.of/rows/day=2026-01-31/kind=x/", ("2026-01-31", "x"))
    ]


def test_a_template_of_the_location_is_followed():
    template = {"storage.location.template": "s3://lake.of/rows/${year}"}
    numbers = {"projection.year.type": "integer", "projection.year.range": "2013,2014"}
    rows = table({"projection.enabled": "true", **template, **numbers}, (("year", "int"),))
    addresses = [f"s3://lake.of/rows/{year}/part/a.parquet" for year in ("2012", "2013", "x")]
    assert list(projected(rows, addresses)) == [Partition("s3://lake.of/rows/2013/", ("2013",))]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"projection.kind.type": "injected"}, "column kind of type injected"),
        ({"projection.day.range": "NOW-3DAYS,NOW"}, "the range NOW-3DAYS,NOW"),
    ],
)
def test_what_is_not_projected_is_named(changed, words):
    with pytest.raises(QueryError, match=words):
        list(projected(table(DAY | changed), ADDRESSES))


def test_a_table_without_the_property_is_not_projected():
    assert not is_projected(table({}))
