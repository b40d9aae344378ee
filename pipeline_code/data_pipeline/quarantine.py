"""The quarantine: broken records and broken files, each with its place, rule, value and reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from pipeline_code.data_pipeline.contract import QuarantineEntry
from pipeline_code.data_pipeline.records import (
    ALLOWED,
    DUPLICATE,
    MALFORMED,
    MISSING,
    ORPHAN,
    RANGE,
    TYPE,
    UNBROKEN,
)
from pipeline_code.data_pipeline.source_files import ENCODING, SourceFile
from pipeline_code.source_contract import Field, SourceContract

FEW_VALUES = 12
"""Allowed values that a reason lists."""


def broken_records(
    checked: DataFrame, contract: SourceContract, files: Sequence[SourceFile]
) -> DataFrame:
    """List the broken records: source file, line, rule, column, value and reason.

    A line's number is its place within its block of the file plus the lines of the blocks before.
    """
    broken = checked.where(F.col("_rule").isNotNull() & ~F.col("_rule").isin(*UNBROKEN))
    return (
        broken.join(F.broadcast(_shifts(checked)), ["_file", "_block"])
        .join(F.broadcast(_names(checked.sparkSession, files)), "_file")
        .select(
            "source_file",
            "version_id",
            (F.col("_row") + F.col("shift")).alias("line"),
            F.col("_rule").alias("rule"),
            F.col("_column").alias("column"),
            F.col("_value").alias("value"),
            _reason(contract).alias("reason"),
            F.lit(1).alias("records"),
        )
        .orderBy("source_file", "line")
    )


def broken_files(files: Iterable[SourceFile]) -> Iterator[QuarantineEntry]:
    """List the files that break the contract as a whole."""
    for file in files:
        yield QuarantineEntry(
            source_file=file.key,
            version_id=file.version_id,
            line=None,
            rule=file.rule,
            column=file.column,
            value=None,
            reason=f"{file.key}: {file.reason}",
            records=file.records,
        )


def _shifts(checked: DataFrame) -> DataFrame:
    """Say for each block what turns a row's number into the line's."""
    blocks = checked.groupBy("_file", "_block").agg(
        F.min("_row").alias("first"), F.max("_row").alias("last")
    )
    before = (
        Window.partitionBy("_file").orderBy("_block").rowsBetween(Window.unboundedPreceding, -1)
    )
    lines = F.sum(F.col("last") - F.col("first") + 1).over(before)
    shift = F.coalesce(lines, F.lit(0)) + 1 - F.col("first")
    return blocks.select("_file", "_block", shift.alias("shift"))


def _names(spark: SparkSession, files: Sequence[SourceFile]) -> DataFrame:
    rows = [(file.number, file.key, file.version_id) for file in files]
    return spark.createDataFrame(rows, "_file int, source_file string, version_id string")


def _reason(contract: SourceContract) -> Column:
    """Choose the sentence of the rule and column that a record breaks."""
    words = chain.from_iterable((F.lit(k), F.lit(v)) for k, v in reasons(contract).items())
    return F.create_map(*words)[F.concat_ws(" ", "_rule", "_column")]


def reasons(contract: SourceContract) -> Mapping[str, str]:
    """Say in words what each rule of a contract asks for, by rule and column."""
    said = {
        f"{ENCODING} ": "The line is not UTF-8; its broken bytes are replaced here.",
        f"{MALFORMED} ": "The line has not as many fields as the header, or an open quote.",
        f"{DUPLICATE} {'+'.join(contract.key)}": (
            f"The file has a record with this {', '.join(contract.key)} before it."
        ),
    }
    for reference in contract.references:
        said[f"{ORPHAN} {reference.column}"] = (
            f"{reference.column} is no {reference.key} of a valid record of {reference.source}."
        )
    for column in contract.columns:
        said |= _column_reasons(column)
    return said


def _column_reasons(column: Field) -> dict[str, str]:
    unit = f" {column.unit}" if column.unit else ""
    allowed = ", ".join(column.allowed[:FEW_VALUES])
    more = f" and {len(column.allowed) - FEW_VALUES} more" * (len(column.allowed) > FEW_VALUES)
    return {
        f"{MISSING} {column.name}": f"{column.name} is null and must not be.",
        f"{TYPE} {column.name}": f"{column.name} is no {column.type}.",
        f"{RANGE} {column.name}": (
            f"{column.name} must be from {column.minimum} to {column.maximum}{unit}."
        ),
        f"{ALLOWED} {column.name}": f"{column.name} must be one of {allowed}{more}.",
    }
