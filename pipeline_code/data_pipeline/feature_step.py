"""The one place where Spark calls Python: snapshots go through the use case's row features."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from pipeline_code.data_pipeline.contract import (
    ENTITY_COLUMN,
    EVENT_TIME_COLUMN,
    LABEL_COLUMN,
    PERIOD_COLUMN,
    SPLIT_COLUMN,
)
from pipeline_code.use_case import UseCase, load_use_case

CODE_TYPE, NUMBER_TYPE = "smallint", "float"
ARROW_TYPES = {
    "string": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "tinyint": pa.int8(),
    CODE_TYPE: pa.int16(),
    NUMBER_TYPE: pa.float32(),
}


def dataset_schema(use_case: UseCase) -> dict[str, str]:
    """Name the dataset's columns and their Spark types, in their order."""
    features = use_case.features()
    kept = {
        ENTITY_COLUMN: "string",
        EVENT_TIME_COLUMN: "timestamp",
        SPLIT_COLUMN: "string",
        PERIOD_COLUMN: "string",
        LABEL_COLUMN: "tinyint",
        **dict.fromkeys(use_case.slices, "string"),
    }
    made = {
        name: CODE_TYPE if name in features.CATEGORIES else NUMBER_TYPE
        for group in features.FEATURES.values()
        for name in group
    }
    return {**kept, **made}


def with_split(snapshots: DataFrame, use_case: UseCase) -> DataFrame:
    """Add the split that each snapshot's month falls in; drop months that are in none."""
    split: Column = F.lit(None).cast("string")
    for name, months in use_case.split.items():
        within = F.col(PERIOD_COLUMN).between(months.first, months.last)
        split = F.when(within, F.lit(name)).otherwise(split)
    return snapshots.withColumn(SPLIT_COLUMN, split).where(F.col(SPLIT_COLUMN).isNotNull())


def to_features(snapshots: DataFrame, use_case: UseCase) -> DataFrame:
    """Turn snapshots, with their split, into rows of the dataset."""
    schema = dataset_schema(use_case)
    declared = ", ".join(f"`{name}` {kind}" for name, kind in schema.items())
    return snapshots.mapInArrow(_row_features_of(use_case.name, schema), declared)


def _row_features_of(
    use_case_name: str, schema: dict[str, str]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def convert(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        use_case = load_use_case(use_case_name)
        for batch in batches:
            yield _convert(batch, use_case, schema)

    return convert


def _convert(batch: pa.RecordBatch, use_case: UseCase, schema: dict[str, str]) -> pa.RecordBatch:
    columns = {f.name: _column(batch.column(f.name), f.type) for f in use_case.input_fields}
    features = use_case.features().row_features(columns)
    arrays = [
        pa.array(features[name], type=ARROW_TYPES[kind], from_pandas=True)
        if name in features
        else batch.column(name).cast(ARROW_TYPES[kind])
        for name, kind in schema.items()
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(schema))


def _column(array: pa.Array, kind: str) -> np.ndarray:
    """Make an input column as ``use_case.as_column`` makes it of JSON values."""
    if kind in ("string", "datetime"):
        return array.to_numpy(zero_copy_only=False)
    return array.cast(pa.float64()).to_numpy(zero_copy_only=False)
