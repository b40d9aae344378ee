"""A query's result, as the file that Athena leaves in S3 and as the pages that it answers with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlparse

from localcloud.athena.result import Result
from localcloud.athena.values import precision
from localcloud.athena.work_groups import Output
from localcloud.registry import ServiceError

PAGE_ROWS = 1000
Row = Sequence[str | None]


def write(s3: Any, uri: str, output: Output, result: Result) -> None:
    """Write the result as CSV: every value quoted, a null as nothing at all."""
    parts = urlparse(uri, allow_fragments=False)
    s3.put_object(
        Bucket=parts.netloc,
        Key=parts.path.lstrip("/"),
        Body="".join(_lines(result)).encode(),
        ContentType="text/csv",
        **output.put_arguments(),
    )


def page(result: Result, first: int, size: int) -> dict[str, Any]:
    """Give a page of a result; its very first row are the names of the columns."""
    rows = [tuple(name for name, _ in result.columns), *result.rows]
    chosen = rows[first : first + size]
    answer: dict[str, Any] = {
        "UpdateCount": 0,
        "ResultSet": {
            "Rows": [{"Data": [_datum(value) for value in row]} for row in chosen],
            "ResultSetMetadata": {"ColumnInfo": [_column(*each) for each in result.columns]},
        },
    }
    if first + size < len(rows):
        answer["NextToken"] = str(first + size)
    return answer


def place_of(token: str | None) -> int:
    """Read a page's token."""
    if token is None:
        return 0
    if not token.isdecimal():
        raise ServiceError("InvalidRequestException", f"NextToken {token!r} is not one of ours")
    return int(token)


def _lines(result: Result) -> Iterator[str]:
    yield _line([name for name, _ in result.columns])
    for row in result.rows:
        yield _line(row)


def _line(row: Row) -> str:
    values = ("" if v is None else '"' + v.replace('"', '""') + '"' for v in row)
    return ",".join(values) + "\n"


def _datum(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


def _column(name: str, kind: str) -> dict[str, Any]:
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision(kind),
        "Scale": 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind == "varchar",
    }
