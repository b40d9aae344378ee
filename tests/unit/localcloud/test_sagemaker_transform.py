"""Batch transform cuts input by its rules, and joins what the model answered with what it got."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.sagemaker.transform_records import (
    MEGABYTE,
    Batch,
    Cut,
    RecordError,
    assembled,
    batches,
    joined_with_input,
)

LINES = b"a\nbb\n\nccc\n"


def bodies(content, **rules):
    cut = Cut(**{"by_line": True, "many": True, "payload_bytes": 0, **rules})
    return [batch.body for batch in batches(content, cut, "file")]


def test_without_a_split_an_object_is_one_request():
    assert bodies(LINES, by_line=False) == [LINES]


def test_single_records_are_requests_of_their_own():
    assert bodies(LINES, many=False) == [b"a", b"bb", b"ccc"]


def test_many_records_fill_a_request_up_to_the_payload():
    assert bodies(LINES) == [b"a\nbb\nccc"]
    assert bodies(b"aaa\nbbb\nccc", payload_bytes=8) == [b"aaa\nbbb", b"ccc"]


def test_a_record_above_the_payload_fails_the_job_by_name():
    with pytest.raises(RecordError, match=r"file: a record of 1048577 bytes"):
        bodies(b"x" * (MEGABYTE + 1), payload_bytes=MEGABYTE)


@given(
    st.lists(
        st.binary(min_size=1).filter(
            lambda line: len(line.splitlines()) == 1 and line == line.strip()
        ),
        max_size=30,
    ),
    st.integers(200, 400),
    st.booleans(),
)
def test_no_record_is_lost_doubled_or_moved(lines, payload, many):
    cut = Cut(by_line=True, many=many, payload_bytes=payload)
    small = [line[:150] for line in lines]

    found = list(batches(b"\n".join(small), cut, "file"))

    assert [record for batch in found for record in batch.records] == small
    assert all(len(batch.body) <= payload for batch in found)


def test_an_answer_stands_in_its_json_record():
    batch = Batch(b"", (b'{"a": 1}', b"[2]"))

    joined = joined_with_input(batch, b'{"p": 0.1}\n{"p": 0.2}', "application/jsonlines", "file")

    assert [json.loads(line) for line in joined.splitlines()] == [
        {"a": 1, "SageMakerOutput": {"p": 0.1}},
        {"SageMakerInput": [2], "SageMakerOutput": {"p": 0.2}},
    ]


def test_an_answer_stands_at_the_end_of_its_row():
    joined = joined_with_input(Batch(b"", (b"1,2", b"3,4")), b"0.1\n0.2", "text/csv", "file")

    assert joined == b"1,2,0.1\n3,4,0.2"


def test_another_number_of_answers_than_records_cannot_be_joined():
    with pytest.raises(RecordError, match="2 records were sent and 1 answered"):
        joined_with_input(Batch(b"", (b"1", b"2")), b"0.1", "text/csv", "file")


def test_answers_are_put_together_as_they_are_or_a_line_each():
    assert assembled([b"a", b"b\n"], by_line=False) == b"ab\n"
    assert assembled([b"a", b"b\n"], by_line=True) == b"a\nb\n"
