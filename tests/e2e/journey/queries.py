"""Runs queries on Athena to their end."""

from __future__ import annotations

from typing import Any

from tests.e2e.localcloud.conftest import eventually

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


def run(athena, names, sql: str, **more: Any) -> dict[str, Any]:
    """Run a query to its end; give what Athena says of it."""
    started = athena.start_query_execution(
        QueryString=sql,
        WorkGroup=names["WorkGroupName"],
        QueryExecutionContext={"Database": names["DatabaseName"]},
        **more,
    )["QueryExecutionId"]

    def ended() -> dict[str, Any] | None:
        found = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]
        return found if found["Status"]["State"] in ENDED else None

    return eventually(ended)


def rows(athena, execution: dict[str, Any]) -> list[dict[str, str | None]]:
    """Read what a query found, by column."""
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    pages = athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=execution["QueryExecutionId"]
    )
    read = [
        [value.get("VarCharValue") for value in row["Data"]]
        for page in pages
        for row in page["ResultSet"]["Rows"]
    ]
    return [dict(zip(read[0], row, strict=True)) for row in read[1:]]
