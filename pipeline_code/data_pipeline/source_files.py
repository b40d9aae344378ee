"""A source's files: pinned as the run reads them, and looked at as a whole before a record is."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace

import pyarrow as pa
from pyspark.sql import SparkSession

from pipeline_code.data_pipeline.file_content import PIECE_BYTES, GzipError, LineCount, unpack
from pipeline_code.data_pipeline.storage import Storage, storage_of

GZIP_MAGIC = b"\x1f\x8b"
LONGEST_HEADER = 200
LINE_END = re.compile(rb"\r\n|\r|\n")
NUMBER_DIGITS = 6
LINES_OF_A_RECORD = 2
"""The header's and its own."""
LANDED = (
    "source string, number int, key string, uri string, version_id string, size_bytes bigint,"
    " staging_uri string, columns array<string>"
)
INSPECTED = (
    "source string, number int, key string, version_id string, uri string, header string,"
    " rule string, column string, reason string, records bigint"
)
"""Fields of ``LandedFile`` and ``SourceFile``, in their order."""

EMPTY_FILE = "empty_file"
HEADER_ONLY = "header_only"
ENCODING = "encoding"
MISSING_COLUMN = "missing_column"
DUPLICATE_COLUMN = "duplicate_column"
"""Rules that a file breaks as a whole; ``ENCODING`` is one of records too."""


@dataclass(frozen=True)
class LandedFile:
    """One object version of the batch, and what a check of it needs to know."""

    source: str
    number: int
    """Its place among the source's keys in their order."""
    key: str
    uri: str
    version_id: str
    size_bytes: int
    staging_uri: str
    """Under which folder its copy goes, which no later delivery changes."""
    columns: tuple[str, ...]


@dataclass(frozen=True)
class SourceFile:
    """One file as this run found it: its copy and header, or the rule that it breaks."""

    source: str
    number: int
    key: str
    version_id: str
    uri: str
    header: str
    rule: str = ""
    column: str = ""
    reason: str = ""
    records: int | None = None
    """Of a broken file: its records, none when they cannot be counted."""


def inspect_files(spark: SparkSession, landed: Sequence[LandedFile]) -> list[SourceFile]:
    """Pin and inspect the batch's files on the workers, each read in parts of constant size."""
    words = [asdict(file) | {"columns": list(file.columns)} for file in landed]
    tasks = max(1, min(len(words), 2 * spark.sparkContext.defaultParallelism))
    rows = spark.createDataFrame(words, LANDED).repartition(tasks, "source", "number")
    described = rows.mapInArrow(_inspect_all, INSPECTED).collect()
    files = [SourceFile(**row.asDict()) for row in described]
    return sorted(files, key=lambda file: (file.source, file.number))


def _inspect_all(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    kinds = {"number": pa.int32(), "records": pa.int64()}
    schema = pa.schema([(f.name, kinds.get(f.name, pa.string())) for f in fields(SourceFile)])
    for batch in batches:
        landed = [
            LandedFile(**{**row, "columns": tuple(row["columns"])}) for row in batch.to_pylist()
        ]
        inspected = [asdict(inspect_file(file)) for file in landed]
        yield pa.RecordBatch.from_pylist(inspected, schema)


def inspect_file(landed: LandedFile) -> SourceFile:
    """Copy a file to where nothing changes it, and tell its header or the rule that it breaks."""
    storage = storage_of(landed.uri)
    head = storage.head(landed.uri, landed.version_id) if landed.size_bytes else b""
    # Spark tells compression by the name.
    suffix = "csv.gz" if head.startswith(GZIP_MAGIC) else "csv"
    uri = f"{landed.staging_uri}{landed.source}/{landed.number:0{NUMBER_DIGITS}d}.{suffix}"
    file = SourceFile(
        source=landed.source,
        number=landed.number,
        key=landed.key,
        version_id=landed.version_id,
        uri=uri,
        header="",
    )
    if not landed.size_bytes:
        return _broken(file, EMPTY_FILE, "is empty; it must begin with a header line", records=0)
    storage.copy(landed.uri, uri, landed.version_id)
    try:
        return _inspect_content(file, _content(storage, file, landed.size_bytes), landed.columns)
    except GzipError as error:
        return _broken(file, error.rule, str(error))


def _content(storage: Storage, file: SourceFile, size_bytes: int) -> Iterator[bytes]:
    chunks = storage.chunks(file.uri, size_bytes)
    return unpack(chunks) if file.uri.endswith(".gz") else chunks


def _inspect_content(
    file: SourceFile, pieces: Iterator[bytes], columns: Sequence[str]
) -> SourceFile:
    """Judge the header, and read the rest: to its end when it is compressed or broken."""
    lines = LineCount()
    head = b""
    for piece in pieces:
        head += piece
        lines.add(piece)
        if LINE_END.search(head) or len(head) > PIECE_BYTES:
            break
    judged = _judge_header(file, LINE_END.split(head, maxsplit=1)[0], columns)
    whole = bool(judged.rule) or file.uri.endswith(".gz")
    for piece in pieces if whole or lines.count < LINES_OF_A_RECORD else ():
        if judged.rule or lines.count < LINES_OF_A_RECORD:
            lines.add(piece)
    return _judge_lines(judged, lines.count)


def _judge_lines(file: SourceFile, lines: int) -> SourceFile:
    if not lines:
        return _broken(file, EMPTY_FILE, "is empty; it must begin with a header line", records=0)
    if file.rule:
        return replace(file, records=lines - 1)
    if lines < LINES_OF_A_RECORD:
        reason = "has a header line and no record; a delivery without records is a broken export"
        return _broken(file, HEADER_ONLY, reason, records=0)
    return file


def _judge_header(file: SourceFile, line: bytes, columns: Sequence[str]) -> SourceFile:
    try:
        header = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return _broken(file, ENCODING, f"is no UTF-8 CSV, plain or gzip: {error}")
    names = next(csv.reader([header]), [])
    spoken = f"the header is {header[:LONGEST_HEADER]!r}"
    missing = ", ".join(name for name in columns if name not in names)
    if missing:
        reason = f"column {missing} is missing; {spoken}, source {file.source!r} must have"
        return _broken(file, MISSING_COLUMN, f"{reason} {', '.join(columns)}", column=missing)
    twice = ", ".join(name for name in columns if names.count(name) > 1)
    if twice:
        reason = f"column {twice} stands there twice; {spoken}"
        return _broken(file, DUPLICATE_COLUMN, reason, column=twice)
    return replace(file, header=header)


def _broken(
    file: SourceFile, rule: str, reason: str, *, column: str = "", records: int | None = None
) -> SourceFile:
    return replace(file, rule=rule, reason=reason, column=column, records=records)
