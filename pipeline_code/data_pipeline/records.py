"""A source's records: read as lines, checked against the contract, broken ones with the reason."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from pipeline_code.data_pipeline.contract import SourceReport
from pipeline_code.use_case import Field, Reference, SourceContract

SPARK_TYPES = {
    "string": "string",
    "integer": "bigint",
    "number": "double",
    "timestamp": "timestamp",
}
MALFORMED, MISSING, TYPE, RANGE, ALLOWED, ORPHAN, DUPLICATE = (
    "malformed",
    "missing",
    "type",
    "range",
    "allowed",
    "orphan",
    "duplicate",
)
"""Rules that a record can break."""
FILE = "file"
"""The rule that a whole file breaks: it is empty, cannot be read or lacks a column."""
SUPERSEDED = "superseded"
"""Not a broken rule: a later object delivered a record of the same key."""
LONGEST_VALUE = 200
"""Characters of a broken value that its quarantine entry keeps."""
GZIP_MAGIC = b"\x1f\x8b"


class BatchRejectedError(Exception):
    """The batch cannot become a dataset; the message says which file breaks what, and the rule."""


@dataclass(frozen=True)
class SourceFile:
    """One file of a source as this run reads it: where it is, and the key that it landed under.

    File names (the last part of ``uri``) differ within a source.
    """

    uri: str
    key: str
    header: str


def header_of(key: str, head: bytes, contract: SourceContract) -> str:
    """Take the header line out of a file's first bytes; reject a file that lacks a column."""
    header = _first_line(key, head)
    names = next(csv.reader([header]))
    missing = [c.name for c in contract.columns if c.name not in names]
    if missing:
        raise BatchRejectedError(
            f"{key}: column {', '.join(missing)} is missing; the header is"
            f" {header[:LONGEST_VALUE]!r}, source {contract.name!r} must have"
            f" {', '.join(c.name for c in contract.columns)}"
        )
    return header


def _first_line(key: str, head: bytes) -> str:
    try:
        text = zlib.decompressobj(31).decompress(head) if head.startswith(GZIP_MAGIC) else head
        line = text.split(b"\n", 1)[0].decode("utf-8").rstrip("\r")
    except (zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise BatchRejectedError(f"{key}: is no UTF-8 CSV, plain or gzip: {error}") from error
    if not line.strip():
        raise BatchRejectedError(f"{key}: is empty; it must begin with a header line")
    return line


def check_records(
    spark: SparkSession,
    contract: SourceContract,
    files: Sequence[SourceFile],
    valid: Mapping[str, DataFrame],
) -> DataFrame:
    """Read a source's files and mark each record with the first rule that it breaks.

    ``valid`` holds the sources that this one refers to. Columns of the answer: the contract's,
    typed, ``_key`` (the object), ``_block`` and ``_row`` (the line), and ``_rule``,
    ``_column``, ``_value``, all null for a record that keeps every rule.
    """
    by_header: dict[str, list[SourceFile]] = {}
    for file in files:
        by_header.setdefault(file.header, []).append(file)
    parsed = [_parse(spark, contract, header, group) for header, group in by_header.items()]
    records = reduce(DataFrame.unionByName, parsed)
    for reference in contract.references:
        records = _check_reference(records, reference, valid[reference.source])
    return _check_duplicates(records, contract)


def valid_records(checked: DataFrame, contract: SourceContract) -> DataFrame:
    """Keep the records that break no rule, with the contract's columns alone."""
    return checked.where(F.col("_rule").isNull()).select(*(c.name for c in contract.columns))


def quarantined_records(checked: DataFrame) -> DataFrame:
    """List the broken records: source file, line, rule, column, value.

    A line's number is its place within its block of the file plus the lines of the blocks before;
    the header, line 1, is no record and belongs to the first block.
    """
    blocks = checked.groupBy("_key", "_block").agg(
        F.min("_row").alias("first"), F.max("_row").alias("last")
    )
    header = (F.col("_block") == 0).cast("int")
    before = Window.partitionBy("_key").orderBy("_block").rowsBetween(Window.unboundedPreceding, -1)
    lines = F.sum(F.col("last") - F.col("first") + 1 + header).over(before)
    offsets = blocks.select(
        "_key", "_block", (F.coalesce(lines, F.lit(0)) + header + 1 - F.col("first")).alias("shift")
    )
    return (
        checked.where(F.col("_rule").isNotNull() & (F.col("_rule") != SUPERSEDED))
        .join(F.broadcast(offsets), ["_key", "_block"])
        .select(
            F.col("_key").alias("source_file"),
            (F.col("_row") + F.col("shift")).alias("line"),
            F.col("_rule").alias("rule"),
            F.col("_column").alias("column"),
            F.col("_value").alias("value"),
        )
        .orderBy("source_file", "line")
    )


def count_records(checked: DataFrame) -> SourceReport:
    """Count what became of a source's records: ``read = valid + quarantined + superseded``."""
    rows = checked.groupBy("_rule").count().collect()
    counts: dict[str | None, int] = {row["_rule"]: row["count"] for row in rows}
    read, valid = sum(counts.values()), counts.pop(None, 0)
    superseded = counts.pop(SUPERSEDED, 0)
    return SourceReport(
        rows_read=read,
        rows_valid=valid,
        rows_quarantined=read - valid - superseded,
        rows_superseded=superseded,
        reasons={str(rule): count for rule, count in sorted(counts.items(), key=str)},
    )


def _parse(
    spark: SparkSession, contract: SourceContract, header: str, files: Sequence[SourceFile]
) -> DataFrame:
    """Read files that share a header; every value is text until it is checked."""
    names = next(csv.reader([header]))
    schema = ", ".join(f"`{name}` string" for name in [*names, "_malformed"])
    options = {
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "_malformed",
        "nullValue": contract.null_value,
    }
    keys = F.create_map(*(F.lit(part) for f in files for part in (f.uri.rsplit("/", 1)[1], f.key)))
    name = F.regexp_extract("_metadata.file_path", "([^/]+)$", 1)
    lines = spark.read.text([file.uri for file in files]).select(
        "value",
        keys[name].alias("_key"),
        F.col("_metadata.file_block_start").alias("_block"),
        F.monotonically_increasing_id().alias("_row"),
    )
    records = lines.where((F.col("value") != header) & (F.trim("value") != "")).withColumn(
        "record", F.from_csv("value", schema, options)
    )
    texts = records.select(
        "_key",
        "_block",
        "_row",
        F.when(F.col("record._malformed").isNotNull(), F.col("value")).alias("_malformed"),
        *(_text(f"record.`{c.name}`").alias(_text_name(c)) for c in contract.columns),
    )
    broken = F.coalesce(
        _broken(F.col("_malformed").isNotNull(), MALFORMED, "", F.col("_malformed")),
        *(rule for column in contract.columns for rule in _rules(column)),
    )
    typed = [_typed(column).alias(column.name) for column in contract.columns]
    values = [F.col(_text_name(column)) for column in contract.columns]
    line = ("_key", "_block", "_row")
    return (
        texts.select(*line, "_malformed", *values, *typed)
        .select(*line, *(c.name for c in contract.columns), broken.alias("_broken"))
        .select(*line, *(c.name for c in contract.columns), "_broken.*")
    )


def _text(name: str) -> Column:
    """Take a raw value; an empty one is null."""
    return F.when(F.col(name) != "", F.col(name))


def _text_name(column: Field) -> str:
    return f"_text_{column.name}"


def _typed(column: Field) -> Column:
    return F.expr(f"try_cast(`{_text_name(column)}` AS {SPARK_TYPES[column.type]})")


def _rules(column: Field) -> list[Column]:
    """List the rules of one column, each a struct when it is broken, else null."""
    text, typed = F.col(_text_name(column)), F.col(column.name)
    rules = []
    if not column.nullable:
        rules.append(_broken(text.isNull(), MISSING, column.name, text))
    if column.type != "string":
        rules.append(_broken(text.isNotNull() & typed.isNull(), TYPE, column.name, text))
    if column.minimum is not None:
        outside = (typed < F.lit(column.minimum)) | (typed > F.lit(column.maximum))
        rules.append(_broken(outside, RANGE, column.name, text))
    if column.allowed:
        rules.append(_broken(~text.isin(*column.allowed), ALLOWED, column.name, text))
    return rules


def _broken(condition: Column, rule: str, column: str, value: Column) -> Column:
    entry = F.struct(
        F.lit(rule).alias("_rule"),
        F.lit(column).alias("_column"),
        F.substring(value.cast("string"), 1, LONGEST_VALUE).alias("_value"),
    )
    return F.when(condition, entry)


def _mark(
    records: DataFrame, condition: Column, rule: Column, column: str, value: Column
) -> DataFrame:
    """Mark records that broke no rule before."""
    newly = F.col("_rule").isNull() & condition
    return records.withColumns(
        {
            "_rule": F.when(newly, rule).otherwise(F.col("_rule")),
            "_column": F.when(newly, F.lit(column)).otherwise(F.col("_column")),
            "_value": F.when(newly, value.cast("string")).otherwise(F.col("_value")),
        }
    )


def _check_reference(records: DataFrame, reference: Reference, target: DataFrame) -> DataFrame:
    keys = target.select(F.col(reference.key).alias(reference.column), F.lit(True).alias("_found"))
    column = F.col(reference.column)
    orphan = F.col("_found").isNull() & column.isNotNull()
    if reference.known_absent:
        orphan &= ~column.isin(*reference.known_absent)
    joined = records.join(keys, reference.column, "left")
    return _mark(joined, orphan, F.lit(ORPHAN), reference.column, column).drop("_found")


def _check_duplicates(records: DataFrame, contract: SourceContract) -> DataFrame:
    """Of records with one key the object with the greatest name wins; within it, the first line.

    Names decide, not arrival: the same objects give the same dataset in whatever order they came.
    """
    valid = F.col("_rule").isNull()
    same_key = Window.partitionBy(*contract.key, valid)
    order = same_key.orderBy(F.col("_key").desc(), "_block", "_row")
    place = F.row_number().over(order)
    winner = F.max("_key").over(same_key)
    ranked = records.withColumns({"_place": place, "_winner": winner})
    rule = F.when(F.col("_key") == F.col("_winner"), DUPLICATE).otherwise(SUPERSEDED)
    value = F.concat_ws("/", *(F.col(name).cast("string") for name in contract.key))
    column = "+".join(contract.key)
    return _mark(ranked, F.col("_place") > 1, rule, column, value).drop("_place", "_winner")
