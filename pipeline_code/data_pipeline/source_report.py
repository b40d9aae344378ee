"""What became of a source's files and records, counted, and what its valid records look like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from pipeline_code.data_pipeline.contract import SourceColumn, SourceReport
from pipeline_code.data_pipeline.records import NO_RECORD, SUPERSEDED
from pipeline_code.data_pipeline.source_files import SourceFile
from pipeline_code.source_contract import Field, SourceContract

ISO = "yyyy-MM-dd'T'HH:mm:ss'Z'"
SECONDS_OF_HOUR = 3600


def count_files(contract: SourceContract, files: Sequence[SourceFile]) -> SourceReport:
    """Begin a report with the files, and with the records of those that are broken."""
    broken = [file for file in files if file.rule]
    records: Counter[str] = Counter()
    for file in broken:
        records[file.rule] += file.records or 0
    lost = sum(records.values())
    return SourceReport(
        contract_version=contract.version,
        files_read=len(files),
        files_quarantined=len(broken),
        rows_read=lost,
        rows_valid=0,
        rows_quarantined=lost,
        rows_superseded=0,
        reasons={rule: count for rule, count in sorted(records.items()) if count},
        file_reasons=dict(sorted(Counter(file.rule for file in broken).items())),
        newest=None,
        lag_hours=None,
        stale=False,
        columns={},
    )


def count_records(report: SourceReport, checked: DataFrame, contract: SourceContract) -> None:
    """Add a source's records in one pass: ``read = valid + quarantined + superseded``."""
    figures = [figure for column in contract.columns for figure in _figures(column)]
    rows = checked.groupBy("_rule").agg(F.count(F.lit(1)).alias("_count"), *figures).collect()
    by_rule = {row["_rule"]: row.asDict() for row in rows}
    counts: Counter[str] = Counter({rule: row["_count"] for rule, row in by_rule.items() if rule})
    valid = by_rule.get(None, {})
    superseded = counts.pop(SUPERSEDED, 0)
    counts.pop(NO_RECORD, None)
    broken = sum(counts.values())
    report["rows_read"] += broken + superseded + valid.get("_count", 0)
    report["rows_valid"] = valid.get("_count", 0)
    report["rows_quarantined"] += broken
    report["rows_superseded"] = superseded
    report["reasons"] = dict(sorted((counts + Counter(report["reasons"])).items()))
    report["columns"] = {c.name: _column(c, valid) for c in contract.columns if valid}
    if contract.freshness and contract.freshness.column in report["columns"]:
        report["newest"] = str(report["columns"][contract.freshness.column]["max"])


def measure_lags(reports: Mapping[str, SourceReport], contracts: Iterable[SourceContract]) -> None:
    """Tell how far each source lies behind the newest record of the batch."""
    times = {name: report["newest"] for name, report in reports.items()}
    known = {name: datetime.fromisoformat(time) for name, time in times.items() if time}
    for contract in contracts:
        if contract.freshness and contract.name in known:
            report = reports[contract.name]
            lag = max(known.values()) - known[contract.name]
            hours = lag.total_seconds() / SECONDS_OF_HOUR
            report["lag_hours"] = hours
            report["stale"] = hours > contract.freshness.max_lag_hours


def _figures(column: Field) -> list[Column]:
    value = F.col(column.name)
    figures = [F.count(value).alias(f"{column.name} count")]
    if _has_range(column):
        low, high = F.min(value), F.max(value)
        if column.type == "timestamp":
            low, high = F.date_format(low, ISO), F.date_format(high, ISO)
        figures += [low.alias(f"{column.name} min"), high.alias(f"{column.name} max")]
    return figures


def _column(column: Field, valid: Mapping[str, Any]) -> SourceColumn:
    found = SourceColumn(type=column.type, nulls=valid["_count"] - valid[f"{column.name} count"])
    if _has_range(column) and valid[f"{column.name} min"] is not None:
        found["min"], found["max"] = valid[f"{column.name} min"], valid[f"{column.name} max"]
    return found


def _has_range(column: Field) -> bool:
    return column.type != "string" and not column.personal
