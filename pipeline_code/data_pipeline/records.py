"""A source's records: read as lines, checked against the contract, broken ones marked."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from pipeline_code.data_pipeline.source_files import ENCODING, SourceFile
from pipeline_code.source_contract import Field, Reference, SourceContract

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
"""Rules that a record can break, besides ``ENCODING``."""
SUPERSEDED = "superseded"
"""Not a broken rule: a later object delivered a record of the same key."""
NO_RECORD = "no_record"
"""Not a broken rule: the line is the header or blank. It counts as a line."""
UNBROKEN = (SUPERSEDED, NO_RECORD)
PLACE = ("_file", "_block", "_row")
"""Where a record stands: the file's number, the block of it, the line."""
LONGEST_VALUE = 200
"""Characters of a broken value that its quarantine entry keeps."""


def mark_records(
    spark: SparkSession,
    contract: SourceContract,
    files: Sequence[SourceFile],
    valid: Mapping[str, DataFrame],
) -> DataFrame:
    """Read a source's files and mark each record with the first rule that it breaks.

    ``valid`` holds the sources that this one refers to. Columns of the answer: the contract's,
    typed, ``_file`` (its number), ``_block`` and ``_row`` (the line), and ``_rule``,
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


def no_records(spark: SparkSession, contract: SourceContract) -> DataFrame:
    """Make the valid records of an optional source that has none."""
    schema = ", ".join(f"`{c.name}` {SPARK_TYPES[c.type]}" for c in contract.columns)
    return spark.createDataFrame([], schema)


def _parse(
    spark: SparkSession, contract: SourceContract, header: str, files: Sequence[SourceFile]
) -> DataFrame:
    """Read files that share a header; every value is text until it is checked."""
    options = {
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "_malformed",
        "nullValue": contract.null_value,
    }
    name = F.substring_index(F.col("_metadata.file_path"), "/", -1)
    lines = spark.read.text([file.uri for file in files]).select(
        "value",
        F.substring_index(name, ".", 1).cast("int").alias("_file"),
        F.col("_metadata.file_block_start").alias("_block"),
        F.monotonically_increasing_id().alias("_row"),
    )
    # Text is kept as the bytes that it came in; encoding it anew mends what is no UTF-8.
    mended = F.encode("value", "UTF-8")
    records = lines.select(
        *PLACE,
        ((F.col("value") == header) | (F.trim("value") == "")).alias("_idle"),
        F.when(mended != F.col("value").cast("binary"), mended.cast("string")).alias("_garbled"),
        F.from_csv("value", _schema(contract, header), options).alias("record"),
        "value",
    )
    texts = records.select(
        *PLACE,
        "_idle",
        "_garbled",
        F.when(F.col("record._malformed").isNotNull(), F.col("value")).alias("_malformed"),
        *(_text(c, header).alias(_text_name(c)) for c in contract.columns),
    )
    broken = F.coalesce(
        _broken(F.col("_idle"), NO_RECORD, "", F.lit(None)),
        _broken(F.col("_garbled").isNotNull(), ENCODING, "", F.col("_garbled")),
        _broken(F.col("_malformed").isNotNull(), MALFORMED, "", F.col("_malformed")),
        *(rule for column in contract.columns for rule in _rules(column)),
    )
    typed = [_typed(column).alias(column.name) for column in contract.columns]
    values = [F.col(_text_name(column)) for column in contract.columns]
    return (
        texts.select(*PLACE, "_idle", "_garbled", "_malformed", *values, *typed)
        .select(*PLACE, *(c.name for c in contract.columns), broken.alias("_broken"))
        .select(*PLACE, *(c.name for c in contract.columns), "_broken.*")
    )


def _schema(contract: SourceContract, header: str) -> str:
    """Name the fields of a line: those of the contract, and by their place those that are not."""
    known = {column.name for column in contract.columns}
    given = enumerate(_names(header))
    names = [name if name in known else f"_{place}" for place, name in given]
    return ", ".join(f"`{name}` string" for name in [*names, "_malformed"])


def _names(header: str) -> list[str]:
    return next(csv.reader([header]))


def _text(column: Field, header: str) -> Column:
    """Take a raw value; an empty one is null, and so is that of a column which the file lacks."""
    if column.name not in _names(header):
        return F.lit(None).cast("string")
    value = F.col(f"record.`{column.name}`")
    return F.when(value != "", value)


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
    if column.type == "number":
        finite = F.abs(typed) < F.lit(float("inf"))
        rules.append(_broken(typed.isNotNull() & ~finite, TYPE, column.name, text))
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
    keys = target.select(F.col(reference.key).alias(reference.column)).distinct()
    keys = keys.withColumn("_found", F.lit(True))
    column = F.col(reference.column)
    orphan = F.col("_found").isNull() & column.isNotNull()
    if reference.known_absent:
        orphan &= ~column.isin(*reference.known_absent)
    joined = records.join(keys, reference.column, "left")
    return _mark(joined, orphan, F.lit(ORPHAN), reference.column, column).drop("_found")


def _check_duplicates(records: DataFrame, contract: SourceContract) -> DataFrame:
    """Of records with one key the object with the greatest name wins; within it, the first line.

    Files are numbered in the order of their names, and names decide, not arrival: the same objects
    give the same dataset in whatever order they came.
    """
    valid = F.col("_rule").isNull()
    same_key = Window.partitionBy(*contract.key, valid)
    order = same_key.orderBy(F.col("_file").desc(), "_block", "_row")
    place = F.row_number().over(order)
    winner = F.max("_file").over(same_key)
    ranked = records.withColumns({"_place": place, "_winner": winner})
    rule = F.when(F.col("_file") == F.col("_winner"), DUPLICATE).otherwise(SUPERSEDED)
    value = F.concat_ws("/", *(F.col(name).cast("string") for name in contract.key))
    column = "+".join(contract.key)
    return _mark(ranked, F.col("_place") > 1, rule, column, value).drop("_place", "_winner")
