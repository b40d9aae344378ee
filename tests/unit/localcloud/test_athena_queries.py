"""Athena's queries on DuckDB: formats, partitions, Trino's SQL, and what fails says why."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from localcloud.athena.catalog import Catalog
from localcloud.athena.engine import Engine
from localcloud.athena.errors import QueryError, ScanLimitError, Stopped
from localcloud.athena.objects import Objects
from localcloud.athena.result import Result
from localcloud.athena.results import page, place_of
from localcloud.athena.statement import translate
from localcloud.athena.values import as_text

MODIFIED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Pages:
    def __init__(self, answers: list[dict[str, Any]]) -> None:
        self._answers = answers

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return self._answers


class FakeStores:
    """Glue and S3 of one small account."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Any]] = {}
        self.partitions: dict[str, list[dict[str, Any]]] = {}
        self.objects: dict[str, bytes] = {}
        self._asked = ""

    def table(self, name: str, serde: str, columns: str, **more: Any) -> None:
        self.tables[name] = {
            "Parameters": more.get("parameters", {}),
            "PartitionKeys": _columns(more.get("keys", "")),
            "StorageDescriptor": {
                "Location": f"s3://lake/{name}/",
                "Columns": _columns(columns),
                "SerdeInfo": {"SerializationLibrary": serde, "Parameters": more.get("options", {})},
            },
        }

    def partition(self, table: str, location: str, *values: str) -> None:
        entry = {"Values": list(values), "StorageDescriptor": {"Location": location}}
        self.partitions.setdefault(table, []).append(entry)

    def get_table(self, DatabaseName: str, Name: str) -> dict[str, Any]:  # noqa: N803
        self._asked = Name
        if DatabaseName != "db" or Name not in self.tables:
            answer = {"Error": {"Code": "EntityNotFoundException", "Message": "none"}}
            raise ClientError(answer, "GetTable")
        return {"Table": self.tables[Name]}

    def get_paginator(self, operation: str) -> Any:
        if operation == "get_partitions":
            return Pages([{"Partitions": self.partitions.get(self._asked, [])}])
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        if Bucket != "lake":
            answer = {"Error": {"Code": "NoSuchBucket", "Message": Bucket}}
            raise ClientError(answer, "ListObjectsV2")
        keys = [key for key in sorted(self.objects) if key.startswith(Prefix)]
        found = [
            {"Key": key, "Size": len(self.objects[key]), "LastModified": MODIFIED} for key in keys
        ]
        return [{"Contents": found}]

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == "lake"
        content = self.objects[Key]
        return {"Body": StreamingBody(io.BytesIO(content), len(content))}


def _columns(text: str) -> list[dict[str, str]]:
    pairs = [each.split() for each in text.split(",") if each]
    return [{"Name": name, "Type": kind} for name, kind in pairs]


def parquet(tmp_path: Path, sql: str) -> bytes:
    path = tmp_path / "made.parquet"
    duckdb.sql(f"COPY ({sql}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


@pytest.fixture
def stores() -> FakeStores:
    return FakeStores()


@pytest.fixture
def ask(stores: FakeStores, tmp_path: Path):
    def ask(query: str, *parameters: str, scan_limit: int | None = None) -> Result:
        statement = translate(query, "db", parameters)
        objects = Objects(stores, tmp_path / "work")
        return Engine(Catalog(stores), objects, scan_limit).run(statement)

    return ask


PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
LINES = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
JSON = "org.openx.data.jsonserde.JsonSerDe"
HEADER = {"skip.header.line.count": "1"}


def test_partitions_are_read_where_the_catalog_says_and_give_typed_columns(stores, ask, tmp_path):
    stores.table("facts", PARQUET, "n bigint,share double", keys="year int,kind string")
    stores.partition("facts", "s3://lake/facts/a/", "2013", "x")
    stores.partition("facts", "s3://lake/elsewhere/", "2014", "y")
    stores.objects["facts/a/1.parquet"] = parquet(
        tmp_path, "SELECT 7::BIGINT n, 0.25::DOUBLE share"
    )
    stores.objects["elsewhere/2.parquet"] = parquet(tmp_path, "SELECT 5::INTEGER n")
    stores.objects["facts/unregistered/3.parquet"] = b"never read"

    result = ask("SELECT year, kind, n, share FROM facts ORDER BY year DESC")

    assert result.columns == (
        ("year", "integer"),
        ("kind", "varchar"),
        ("n", "bigint"),
        ("share", "double"),
    )
    assert result.rows == (("2014", "y", "5", None), ("2013", "x", "7", "0.25"))


def test_plain_text_has_no_quotes_and_null_where_a_number_is_none(stores, ask):
    stores.table(
        "lines", LINES, "name string,n bigint", parameters=HEADER,
        options={"field.delim": ",", "serialization.null.format": "NA"},
    )  # fmt: skip
    stores.objects["lines/1.csv.gz"] = gzip.compress(b'name,n,more\n"a",1,x\nNA,NA,y\nc,two\n')

    rows = ask("SELECT name, n FROM db.lines ORDER BY n NULLS LAST, name").rows

    assert rows == (('"a"', "1"), ("c", None), (None, None))


def test_quoted_text_keeps_commas_and_gives_null_for_what_a_record_lacks(stores, ask):
    stores.table("quoted", CSV, "name string,note string,last string", parameters=HEADER)
    stores.objects["quoted/1.csv"] = b'name,note,last\n"a, b","say ""hi""",\nc,NA\n'

    rows = ask('SELECT * FROM "quoted" ORDER BY name').rows

    assert rows == (("a, b", 'say "hi"', ""), ("c", "NA", None))


def test_json_lines_are_read_by_name(stores, ask):
    stores.table("broken", JSON, "line bigint,rule string,value string", keys="source string")
    stores.partition("broken", "s3://lake/broken/s/", "s")
    stores.objects["broken/s/part-0.json"] = b'{"line":3,"rule":"range","other":1}\n'
    stores.objects["broken/s/_SUCCESS"] = b"hidden"

    assert ask("SELECT source, line, rule, value FROM broken").rows == (("s", "3", "range", None),)


def test_hidden_columns_tell_the_file(stores, ask):
    stores.table("quoted", CSV, "name string")
    stores.objects["quoted/1.csv"] = b"a\n"

    rows = ask('SELECT "$path", "$file_size", "$file_modified_time" FROM quoted').rows

    assert rows == (("s3://lake/quoted/1.csv", "2", "2026-01-02 03:04:05.000"),)


def test_trinos_sql_means_what_it_means_in_trino(ask):
    query = (
        "WITH t AS (SELECT * FROM (VALUES (7, 'a'), (2, NULL)) AS v (n, s)) "
        "SELECT sum(n) / 2, count_if(n > 3), approx_distinct(n), max_by(s, n), "
        "date_diff('day', date '2013-01-01', date '2013-01-31'), "
        "from_iso8601_timestamp('2013-01-01T05:00:00Z') FROM t"
    )
    assert ask(query).rows == (("4", "1", "2", "a", "30", "2013-01-01 05:00:00.000 UTC"),)


def test_execution_parameters_stand_for_the_question_marks(ask):
    assert ask("SELECT ? || 'b', ? + 1", "'a'", "41").rows == (("ab", "42"),)


def test_an_empty_table_has_columns_and_no_rows(stores, ask):
    stores.table("facts", PARQUET, "n bigint", keys="year int")
    assert ask("SELECT * FROM facts") == Result((("n", "bigint"), ("year", "integer")), (), 0)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * FROM missing", "TABLE_NOT_FOUND: Table 'awsdatacatalog.db.missing'"),
        ("SELECT * FROM other.db.t", "CATALOG_NOT_FOUND"),
        ("SELEC 1", "SYNTAX_ERROR"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("DROP TABLE t", "NOT_SUPPORTED: the embedded Athena runs"),
        ("SELECT * FROM read_csv('/etc/passwd')", "NOT_SUPPORTED"),
        ("SELECT no_such_function(1)", "DuckDB, which says: Catalog Error"),
        ("SELECT ?", "0 execution parameters given, the query has 1"),
        ("SELECT name FROM torn", "OrcSerde"),
        ("SELECT n FROM narrow", "HIVE_BAD_DATA: Field n's type VARCHAR"),
        ("SELECT name FROM garbled", "DuckDB, which says"),
    ],
)
def test_what_cannot_be_answered_fails_and_says_why(stores, ask, tmp_path, query, words):
    stores.table("torn", "org.apache.hadoop.hive.ql.io.orc.OrcSerde", "name string")
    stores.objects["torn/1.orc"] = b"x"
    stores.table("narrow", PARQUET, "n bigint")
    stores.objects["narrow/1.parquet"] = parquet(tmp_path, "SELECT 'x' n")
    stores.table("garbled", CSV, "name string")
    stores.objects["garbled/1.csv.gz"] = b"no gzip at all"
    with pytest.raises(QueryError) as failure:
        ask(query)
    assert words in str(failure.value)


def test_a_table_in_a_bucket_that_is_gone_fails(stores, ask):
    stores.table("facts", PARQUET, "n bigint")
    stores.tables["facts"]["StorageDescriptor"]["Location"] = "s3://gone/facts/"
    with pytest.raises(ClientError, match="NoSuchBucket"):
        ask("SELECT * FROM facts")


def test_more_bytes_than_the_work_group_allows_are_not_read(stores, ask):
    stores.table("quoted", CSV, "name string")
    stores.objects["quoted/1.csv"] = b"a" * 100
    with pytest.raises(ScanLimitError):
        ask("SELECT * FROM quoted", scan_limit=99)
    assert len(ask("SELECT * FROM quoted", scan_limit=100).rows) == 1


def test_a_stopped_query_gives_nothing(stores, tmp_path):
    engine = Engine(Catalog(stores), Objects(stores, tmp_path / "work"), None)
    engine.stop()
    with pytest.raises(Stopped):
        engine.run(translate("SELECT 1", "db"))


def test_pages_begin_with_the_names_of_the_columns():
    result = Result((("n", "bigint"),), (("1",), (None,)), 0)
    first = page(result, 0, 2)
    assert [row["Data"] for row in first["ResultSet"]["Rows"]] == [
        [{"VarCharValue": "n"}],
        [{"VarCharValue": "1"}],
    ]
    second = page(result, place_of(first["NextToken"]), 2)
    assert second["ResultSet"]["Rows"] == [{"Data": [{}]}]
    assert "NextToken" not in second


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (True, "true"),
        (0.1, "0.1"),
        (1e7, "1.0E7"),
        (-12345678.5, "-1.23456785E7"),
        (1e-4, "1.0E-4"),
        ([1, None], "[1, null]"),
        ({"a": "b"}, "{a=b}"),
    ],
)
def test_values_are_written_as_athena_writes_them(value, written):
    assert as_text(value) == written
