"""A file of a source as a whole: what is wrong with it is found before a record is used."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pipeline_code.data_pipeline import file_content
from pipeline_code.data_pipeline.source_files import LandedFile, SourceFile, inspect_file

HEADER = b"id,value,note\n"
RECORDS = b"".join(b"%d,%d,\n" % (number, number) for number in range(5000))
WHOLE = gzip.compress(HEADER + RECORDS)


def inspect(folder: Path, content: bytes) -> SourceFile:
    (folder / "file").write_bytes(content)
    landed = LandedFile(
        source="readings",
        number=3,
        key="landing/readings/file",
        uri=f"file://{folder}/file",
        version_id="",
        size_bytes=len(content),
        staging_uri=f"file://{folder}/staging/",
        columns=("id", "value"),
    )
    return inspect_file(landed)


@pytest.mark.parametrize(
    ("content", "copied"),
    [
        (HEADER + RECORDS, "000003.csv"),
        (b"value,id\r\n1,2\r\n", "000003.csv"),
        (b"note,value,id\r1,2,3", "000003.csv"),
        (WHOLE, "000003.csv.gz"),
        (gzip.compress(HEADER) + gzip.compress(RECORDS), "000003.csv.gz"),
    ],
)
def test_a_whole_file_is_pinned_under_its_number(tmp_path, content, copied):
    found = inspect(tmp_path, content)

    assert found.rule == ""
    assert sorted(found.header.split(",")) in (["id", "note", "value"], ["id", "value"])
    assert (tmp_path / "staging" / "readings" / copied).read_bytes() == content


@pytest.mark.parametrize(
    ("content", "rule", "column", "records", "said"),
    [
        (b"", "empty_file", "", 0, "is empty"),
        (b"\n \r\n", "empty_file", "", 0, "is empty"),
        (gzip.compress(b""), "empty_file", "", 0, "is empty"),
        (HEADER, "header_only", "", 0, "no record"),
        (gzip.compress(HEADER + b"\n  \n"), "header_only", "", 0, "no record"),
        (b"id,note\n1,2\n3,4", "missing_column", "value", 2, "column value is missing"),
        (
            gzip.compress(b"\xef\xbb\xbf" + HEADER + RECORDS),
            "missing_column",
            "id",
            5000,
            "header is '\\ufeffid",
        ),
        (b"id,value,id\n1,2,3\n", "duplicate_column", "id", 1, "stands there twice"),
        (b"id,value,\xff\n1,2,3\n", "encoding", "", 1, "is no UTF-8 CSV"),
        (WHOLE[:-1], "truncated_gzip", "", None, "ends before its end"),
        (WHOLE[: len(WHOLE) // 2], "truncated_gzip", "", None, "ends before its end"),
        (WHOLE[:15], "truncated_gzip", "", None, "ends before its end"),
        (WHOLE + WHOLE[:100], "truncated_gzip", "", None, "ends before its end"),
        (b"\x1f\x8bnonsense", "corrupt_gzip", "", None, "cannot be unpacked"),
        (WHOLE[:-6] + b"xxxxxx", "corrupt_gzip", "", None, "cannot be unpacked"),
        (WHOLE[:2000] + b"x" * 50 + WHOLE[2050:], "corrupt_gzip", "", None, "cannot be unpacked"),
        (WHOLE + b"rest", "corrupt_gzip", "", None, "cannot be unpacked"),
    ],
)
def test_a_broken_file_says_what_is_wrong(tmp_path, content, rule, column, records, said):
    found = inspect(tmp_path, content)

    assert (found.rule, found.column, found.records) == (rule, column, records)
    assert said in found.reason


def test_parts_of_any_size_give_the_same_answer(tmp_path, monkeypatch):
    broken = gzip.compress(b"id,note\r\n" + RECORDS.replace(b"\n", b"\r\n"))
    at_once = inspect(tmp_path, broken)
    monkeypatch.setattr(file_content, "PIECE_BYTES", 7)
    monkeypatch.setattr("pipeline_code.data_pipeline.storage.CHUNK_BYTES", 11)

    assert inspect(tmp_path, broken) == at_once
    assert at_once.records == 5000


def test_a_small_file_that_holds_a_large_one_is_unpacked_in_pieces():
    bomb = gzip.compress(bytes(50_000_000))

    pieces = list(map(len, file_content.unpack([bomb])))

    assert sum(pieces) == 50_000_000
    assert max(pieces) <= file_content.PIECE_BYTES
