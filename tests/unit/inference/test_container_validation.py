"""A request's fields against the use case's inputs: every error names field and value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline_code.inference.contract import MAX_INSTANCES
from pipeline_code.inference.validation import (
    MAX_ERRORS,
    BadRequestError,
    FieldError,
    parse_request,
)
from pipeline_code.use_case import load_use_case
from tests.fixtures import tiny_dataset

tiny_dataset.install()
INPUTS = load_use_case("tiny").inputs


def instance(**identity: Any) -> dict[str, Any]:
    values = {"shop": "north", "opened": "2020-06-01T09:30", "visitors": 3, **identity}
    return {"identity": values, "sensor": {"level": 0.5}}


def errors_of(document: Any) -> list[FieldError]:
    with pytest.raises(BadRequestError) as caught:
        parse_request(json.dumps(document).encode(), INPUTS)
    return caught.value.errors


@pytest.mark.parametrize(
    "good",
    [
        instance(),
        instance(visitors=3.0),
        {**instance(), "sensor": None},
        {"identity": instance()["identity"]},
        {**instance(), "sensor": {}},
        {**instance(), "sensor": {"level": None, "grade": "A"}},
        {**instance(), "sensor": {"level": -10}},
    ],
)
def test_a_right_request_gives_its_instances(good: dict[str, Any]) -> None:
    assert parse_request(json.dumps({"instances": [good]}).encode(), INPUTS) == [good]


@pytest.mark.parametrize(
    ("identity", "value", "allowed"),
    [
        ({"shop": "west"}, '"west"', "one of north, south"),
        ({"shop": 1}, "1", "one of north, south"),
        ({"shop": None}, "null", "one of north, south"),
        ({"opened": "yesterday"}, '"yesterday"', "YYYY-MM-DDTHH:MM"),
        ({"opened": "2020-02-30T09:30"}, '"2020-02-30T09:30"', "YYYY-MM-DDTHH:MM"),
        ({"opened": "2020-06-01T24:30"}, '"2020-06-01T24:30"', "YYYY-MM-DDTHH:MM"),
        ({"opened": "2020-06-01T09:30:11"}, '"2020-06-01T09:30:11"', "YYYY-MM-DDTHH:MM"),
        ({"visitors": True}, "true", "a whole number from 0 to 1000"),
        ({"visitors": "3"}, '"3"', "a whole number"),
        ({"visitors": 3.5}, "3.5", "a whole number"),
        ({"visitors": -1}, "-1", "a whole number from 0"),
        ({"visitors": 1001}, "1001", "to 1000"),
        ({"visitors": 10**400}, "1000", "to 1000"),
        ({"visitors": [1]}, "[1]", "a whole number"),
    ],
)
def test_a_wrong_value_is_pointed_at_with_what_is_allowed(
    identity: dict[str, Any], value: str, allowed: str
) -> None:
    (error,) = errors_of({"instances": [instance(), instance(**identity)]})

    assert error["pointer"] == f"/instances/1/identity/{next(iter(identity))}"
    assert error["value"].startswith(value)
    assert allowed in error["allowed"]


def test_a_number_too_large_for_a_double_is_refused() -> None:
    body = json.dumps({"instances": [instance()]}).replace("0.5", "1e999").encode()

    with pytest.raises(BadRequestError) as caught:
        parse_request(body, INPUTS)

    assert caught.value.errors[0]["pointer"] == "/instances/0/sensor/level"


def test_every_error_is_named_at_once() -> None:
    found = errors_of({"instances": [{"identity": {"visitors": -1}, "sensor": {"level": 99}}]})

    assert [error["pointer"] for error in found] == [
        "/instances/0/identity/shop",
        "/instances/0/identity/opened",
        "/instances/0/identity/visitors",
        "/instances/0/sensor/level",
    ]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([], ""),
        ({}, "/instances"),
        ({"instances": []}, "/instances"),
        ({"instances": {}}, "/instances"),
        ({"instances": [instance()], "mode": "fast"}, "/mode"),
        ({"instances": [7]}, "/instances/0"),
        ({"instances": [{"sensor": {"level": 1}}]}, "/instances/0/identity"),
        ({"instances": [{"identity": None}]}, "/instances/0/identity"),
        ({"instances": [{**instance(), "sensor": []}]}, "/instances/0/sensor"),
        ({"instances": [{**instance(), "moon": {}}]}, "/instances/0/moon"),
        ({"instances": [{**instance(), "a/b~c": {}}]}, "/instances/0/a~1b~0c"),
        ({"instances": [instance(vistors=3)]}, "/instances/0/identity/vistors"),
    ],
)
def test_a_wrong_structure_is_pointed_at(document: Any, pointer: str) -> None:
    assert errors_of(document)[0]["pointer"] == pointer


def test_the_number_of_instances_is_limited() -> None:
    limit = [instance()] * MAX_INSTANCES
    assert len(parse_request(json.dumps({"instances": limit}).encode(), INPUTS)) == MAX_INSTANCES

    (error,) = errors_of({"instances": [*limit, instance()]})
    assert error["value"] == f'"{MAX_INSTANCES + 1} instances"'


def test_the_number_and_size_of_reported_errors_are_limited() -> None:
    found = errors_of({"instances": [{"identity": {"shop": "x" * 10_000}}] * 100})

    assert len(found) == MAX_ERRORS
    assert max(len(error["value"]) for error in found) < 100


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"instances": [NaN]}',
        b'{"instances": [Infinity]}',
        b"[" * 100_000,
        b'{"instances": ' + b"9" * 5000 + b"}",
        b'{"instances": [{"identity": {"shop": "\\ud800"}}]}',
    ],
)
def test_a_body_that_is_no_usable_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        parse_request(body, INPUTS)
