"""Requests and answers in every format: the same rows get the same answers, bit for bit."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_code.inference.answers import Answer
from pipeline_code.inference.application import ModelApplication
from pipeline_code.inference.contract import MAX_BATCH_INSTANCES
from pipeline_code.inference.http_server import Request
from pipeline_code.inference.predictor import load_predictor
from pipeline_code.inference.serve_job import load_application
from tests.fixtures import tiny_dataset

INSTANCES = [
    *tiny_dataset.instances(5, 9),
    {**tiny_dataset.instances(1, 10)[0], "sensor": None},
]
NAMES = ["shop", "opened", "visitors", "level", "grade"]
ROWS = [{**one["identity"], **(one["sensor"] or {})} for one in INSTANCES]
ARROW = "application/vnd.apache.arrow.stream"


@pytest.fixture(scope="module")
def application(tiny_model: Path) -> ModelApplication:
    return load_application(tiny_model, {"MODEL_VERSION": "12"})


@pytest.fixture(scope="module")
def expected(tiny_model: Path) -> list[Any]:
    return load_predictor(tiny_model).predict(INSTANCES)


def ask(application: ModelApplication, body: bytes, given: str, accept: str = "") -> Answer:
    headers = {"content-type": given, **({"accept": accept} if accept else {})}
    return application.answer(Request("POST", "/invocations", headers, body))


def as_csv(rows: list[dict[str, Any]], *, header: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    if header:
        writer.writerow(NAMES)
    writer.writerows([[row.get(name) for name in NAMES] for row in rows])
    return text.getvalue().encode()


def as_lines(rows: list[dict[str, Any]]) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in rows) + b"\n\n"


def as_table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table({name: [row.get(name) for row in rows] for name in NAMES})


def as_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def as_arrow(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


BODIES = [
    ("application/json", json.dumps({"instances": INSTANCES}).encode()),
    ("application/jsonlines", as_lines(INSTANCES)),
    ("application/x-ndjson", as_lines(INSTANCES)),
    ("text/csv", as_csv(ROWS, header=True)),
    ("text/csv", as_csv(ROWS, header=False)),
    ("text/csv; header=present; charset=utf-8", as_csv(ROWS, header=True)),
    ("text/csv;header=absent", as_csv(ROWS, header=False)),
    ("application/x-parquet", as_parquet(as_table(ROWS))),
    (ARROW, as_arrow(as_table(ROWS))),
]


@pytest.mark.parametrize(("given", "body"), BODIES)
def test_rows_get_the_same_answers_in_every_format(
    application: ModelApplication, expected: list[Any], given: str, body: bytes
) -> None:
    answer = ask(application, body, given, "application/json")

    assert answer.status == 200, answer.body
    document = json.loads(answer.body)
    assert document == {"model_version": "12", "predictions": expected}


@pytest.mark.parametrize(("given", "body"), BODIES)
def test_without_a_wish_the_answer_has_the_requests_format(
    application: ModelApplication, given: str, body: bytes
) -> None:
    answer = ask(application, body, given, "*/*")

    asked = given.partition(";")[0].replace("x-ndjson", "jsonlines")
    assert answer.content_type == asked


def test_json_lines_are_one_prediction_a_line(
    application: ModelApplication, expected: list[Any]
) -> None:
    answer = ask(application, as_lines(INSTANCES), "application/jsonlines")

    assert [json.loads(line) for line in answer.body.splitlines()] == expected
    assert ("x-amzn-sagemaker-custom-attributes", "model_version=12") in answer.headers


@pytest.mark.parametrize(
    ("accept", "read"),
    [
        ("text/csv; header=present", lambda body: pa.Table.from_pylist(from_csv(body))),
        ("application/x-parquet", lambda body: pq.read_table(io.BytesIO(body))),
        (ARROW, lambda body: pa.ipc.open_stream(body).read_all()),
    ],
)
def test_tables_hold_flat_answers(
    application: ModelApplication, expected: list[Any], accept: str, read: Any
) -> None:
    answer = ask(application, as_lines(INSTANCES), "application/jsonlines", accept)

    rows = read(answer.body).to_pylist()
    assert [float(row["probability"]) for row in rows] == [one["probability"] for one in expected]
    assert rows[-1]["missing_sources"] == "sensor"
    assert rows[-1]["share_sensor"] in (None, "")
    assert float(rows[0]["share_sensor"]) == expected[0]["members"]["sensor"]["share"]


def from_csv(body: bytes) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(body.decode())))


def test_csv_without_a_header_is_one_row_a_row(application: ModelApplication) -> None:
    answer = ask(application, as_csv(ROWS, header=False), "text/csv")

    assert len(answer.body.splitlines()) == len(ROWS)


def changed(**values: Any) -> list[dict[str, Any]]:
    return [ROWS[0], {**ROWS[1], **values}]


@pytest.mark.parametrize(
    ("given", "body", "said"),
    [
        ("text/csv", b"", "no row"),
        ("text/csv", b"\xff\xfe,1\n", "not CSV"),
        ("text/csv", b'"north,2020\n', "not CSV"),
        ("text/csv", b"north,2020-06-01T09:30\n", "has 2 values, must have 5"),
        ("text/csv; header=present", b"shop,moon\nnorth,1\n", "unknown"),
        ("text/csv", b"shop,shop\nnorth,north\n", "twice"),
        ("text/csv", as_csv(changed(visitors="many"), header=True), "/instances/1/identity/vis"),
        ("text/csv", as_csv(changed(level="NaN"), header=True), "/instances/1/sensor/level"),
        ("text/csv", as_csv(changed(level="inf"), header=True), "/instances/1/sensor/level"),
        ("text/csv", as_csv(changed(opened="2020-02-30T10:00"), header=True), "identity/opened"),
        ("application/jsonlines", b"{}\n[1\n", "Line 2"),
        ("application/jsonlines", b"[" * 100_000, "nested too deeply"),
        ("application/jsonlines", b"{}\n", "/instances/0/identity"),
        ("application/jsonlines", b"7\n", "/instances/0"),
        ("application/x-parquet", b"PAR1", "not a Parquet file"),
        ("application/x-parquet", as_parquet(pa.table({"moon": [1]})), "unknown"),
        ("application/x-parquet", as_parquet(as_table(changed(level=99.0))), "1/sensor/level"),
        (ARROW, b"\x00\x01", "not an Arrow stream"),
        (ARROW, as_arrow(as_table(changed(level=float("inf")))), "/instances/1/sensor/level"),
        (ARROW, as_arrow(as_table([])), "no row"),
    ],
)
def test_what_is_wrong_with_a_batch_is_named(
    application: ModelApplication, given: str, body: bytes, said: str
) -> None:
    answer = ask(application, body, given)

    assert answer.status == 400
    assert said in answer.body.decode()


def test_not_a_number_in_a_table_is_a_null(
    application: ModelApplication, expected: list[Any]
) -> None:
    rows = [{**row, "level": float("nan")} if row.get("level") is None else row for row in ROWS]

    answer = ask(application, as_arrow(as_table(rows)), ARROW, "application/json")

    assert json.loads(answer.body)["predictions"] == expected


@pytest.mark.parametrize("given", ["text/csv", "application/jsonlines", "application/x-parquet"])
def test_the_number_of_rows_is_limited(application: ModelApplication, given: str) -> None:
    many = [ROWS[0]] * (MAX_BATCH_INSTANCES + 1)
    bodies = {
        "text/csv": lambda: as_csv(many, header=False),
        "application/jsonlines": lambda: as_lines([INSTANCES[0]] * len(many)),
        "application/x-parquet": lambda: as_parquet(as_table(many)),
    }

    answer = ask(application, bodies[given](), given)

    assert answer.status == 400
    assert f"more than {MAX_BATCH_INSTANCES}" in answer.body.decode()


def test_an_unfamiliar_value_and_a_missing_source_are_flagged(
    application: ModelApplication,
) -> None:
    strange = {**INSTANCES[0], "sensor": {"level": 9.5, "grade": None}}
    body = as_lines([INSTANCES[0], strange, INSTANCES[-1]])

    usual, far, missing = ask(application, body, "application/jsonlines").body.splitlines()

    assert json.loads(usual)["flags"] == []
    assert json.loads(far)["flags"] == ["unfamiliar:level"]
    assert json.loads(missing)["flags"] == ["missing:sensor"]
