"""Analytics tables: computed by the use case, written as Parquet and, row by row, for look-up."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from pipeline_code.analytics_table import AnalyticsTable
from pipeline_code.data_pipeline.contract import analytics_folder
from pipeline_code.data_pipeline.dataset_file import COMPRESSION, FILE_NAME
from pipeline_code.data_pipeline.lookup_items import LookupRows
from pipeline_code.data_pipeline.storage import storage_of
from pipeline_code.use_case import UseCase

SPARK_TYPES = {"string": "string", "integer": "bigint", "number": "double"}
MAX_ROWS = 100_000
"""A table for people is small; a larger one is a data set and belongs elsewhere."""


class AnalyticsError(ValueError):
    """The use case's ``analytics.py`` does not give what its ``analytics.yaml`` declares."""


@dataclass(frozen=True)
class AnalyticsStore:
    """Where tables go: a folder, and the table to look rows up in (none: no look-up)."""

    uri: str
    lookup_table: str


def write_analytics(
    use_case: UseCase,
    store: AnalyticsStore,
    dataset_id: str,
    sources: Mapping[str, DataFrame],
    keep: Callable[[DataFrame], DataFrame],
) -> dict[str, int]:
    """Write every declared table of a dataset version; count its rows."""
    if not use_case.analytics:
        return {}
    made = use_case.analytics_code().build_tables(sources, keep)
    if set(made) != set(use_case.analytics):
        raise AnalyticsError(
            f"analytics.py gives the tables {sorted(made)}, analytics.yaml declares"
            f" {sorted(use_case.analytics)}"
        )
    return {
        name: _write_table(use_case.name, table, made[name], store, dataset_id)
        for name, table in use_case.analytics.items()
    }


def _write_table(
    use_case: str, table: AnalyticsTable, rows: DataFrame, store: AnalyticsStore, dataset_id: str
) -> int:
    if store.lookup_table:
        LookupRows(store.lookup_table, use_case, table.name, dataset_id).announce()
    write = _writer(use_case, table, store, dataset_id)
    one = _typed(table, rows).repartition(1).sortWithinPartitions(*table.key)
    return sum(row["rows"] for row in one.mapInArrow(write, "rows bigint").collect())


def _typed(table: AnalyticsTable, rows: DataFrame) -> DataFrame:
    """Take the declared columns, in their order and types."""
    missing = [column.name for column in table.columns if column.name not in rows.columns]
    if missing:
        raise AnalyticsError(
            f"analytics.py gives {table.name} without {', '.join(missing)}; it has {rows.columns}"
        )
    return rows.select(
        *(F.col(c.name).cast(SPARK_TYPES[c.type]).alias(c.name) for c in table.columns)
    )


def _writer(
    use_case: str, table: AnalyticsTable, store: AnalyticsStore, dataset_id: str
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    uri = f"{store.uri}{analytics_folder(table.name, dataset_id)}{FILE_NAME}"

    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = _collected(table, batches)
        content = io.BytesIO()
        pq.write_table(rows, content, compression=COMPRESSION)
        storage_of(uri).write(uri, content.getvalue())
        if store.lookup_table:
            lookup = LookupRows(store.lookup_table, use_case, table.name, dataset_id)
            lookup.write(rows.to_pylist(), table.key)
        yield pa.RecordBatch.from_pylist([{"rows": rows.num_rows}])

    return write


def _collected(table: AnalyticsTable, batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """Put a table's rows together on one worker, which a small table always fits."""
    schema = pa.schema([(c.name, _ARROW_TYPES[c.type]) for c in table.columns])
    parts: list[pa.RecordBatch] = []
    for batch in batches:
        parts.append(batch)
        if sum(part.num_rows for part in parts) > MAX_ROWS:
            raise AnalyticsError(f"{table.name} has more than {MAX_ROWS:,} rows; aggregate more")
    rows = pa.Table.from_batches(parts).cast(schema) if parts else schema.empty_table()
    _check_key(table, rows)
    return rows


def _check_key(table: AnalyticsTable, rows: pa.Table) -> None:
    keys = rows.select(list(table.key)).to_pylist()
    seen: set[tuple[object, ...]] = set()
    for row in keys:
        key = tuple(row.values())
        if None in key or key in seen:
            raise AnalyticsError(f"{table.name}: the key {key} is null in part, or stands twice")
        seen.add(key)


_ARROW_TYPES = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64()}
