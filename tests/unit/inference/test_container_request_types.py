"""Decoding by types never accepts what validation refuses, nor reads it differently."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import msgspec
import pytest

from pipeline_code.formulas.arithmetic import NoMomentError, minutes_since_epoch
from pipeline_code.inference.request_types import Row, request_types
from pipeline_code.inference.validation import BadRequestError, Instance, parse_request
from pipeline_code.use_case import load_use_case
from tests.fixtures import tiny_dataset

tiny_dataset.install()
INPUTS = load_use_case("tiny").inputs
TYPES = request_types(INPUTS)
ODD = [
    None, True, 0, -1, 1, 3.0, 3.5, 1e308, -1e308, 10**400, 1001, -10, 10.0, 1e-320, "", "north",
    "2020-06-01T09:30", "2020-02-30T09:30", "2020-06-01T24:00", "2020-W01-1T09:30",
    "0000-01-01T00:00", "20200601T0930", "٢٠٢٠-06-01T09:30", "2020-06-01T09:30:00",
    "NaN", [], {}, [1], {"level": 1},
]  # fmt: skip


def mutated(random: Random) -> dict[str, Any]:
    """Make a body with some things wrong, or none."""
    instances = tiny_dataset.instances(random.randint(1, 3), random.randrange(1000))
    for _ in range(random.randrange(4)):
        instance = random.choice(instances)
        group = random.choice([*instance, "moon"])
        change = random.randrange(5)
        if change == 0:
            instance[group] = random.choice(ODD)
        elif change == 1:
            instance.pop(group, None)
        elif isinstance(instance.get(group), dict):
            name = random.choice([*instance[group], "moon"])
            instance[group][name] = random.choice(ODD)
            if change == 2:
                del instance[group][name]
    return {"instances": instances, **({"mode": 1} if random.random() < 0.05 else {})}


def by_types(body: bytes) -> list[Row] | None:
    try:
        rows = TYPES.decode(body).instances
        for row in rows:
            minutes_since_epoch(row.identity.opened)
    except (msgspec.MsgspecError, NoMomentError):
        return None
    return rows


def by_validation(body: bytes) -> list[Instance] | None:
    try:
        return parse_request(body, INPUTS)
    except BadRequestError:
        return None


@pytest.mark.parametrize("seed", range(40))
def test_types_and_validation_accept_the_same_and_read_the_same(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - no secret is drawn
    accepted = 0
    for _ in range(100):
        body = json.dumps(mutated(random)).encode()
        found, expected = by_types(body), by_validation(body)
        if found is None:
            assert expected is None, body
        else:
            accepted += 1
            assert expected is not None, body
            assert found == TYPES.rows(expected)
    assert 5 < accepted < 95


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "1e999", "01", "1_000", "+1", ".5", "0x10"]
)
def test_what_is_no_json_number_is_refused_by_both(text: str) -> None:
    instance = tiny_dataset.instances(1, 3)[0]
    body = json.dumps({"instances": [instance]}).replace(
        f'"visitors": {instance["identity"]["visitors"]}', f'"visitors": {text}'
    )

    assert by_types(body.encode()) is None
    assert by_validation(body.encode()) is None


def test_the_last_of_two_equal_keys_counts_in_both() -> None:
    instance = json.dumps(tiny_dataset.instances(1, 3)[0])
    body = ('{"instances": [' + instance[:-1] + ', "sensor": {"level": 7}}]}').encode()

    (row,), expected = by_types(body) or [], by_validation(body) or []

    assert row.sensor.level == 7
    assert TYPES.rows(expected) == [row]
