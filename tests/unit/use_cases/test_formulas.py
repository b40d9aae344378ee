"""Formulas: a row alone and columns of rows give the same bits; mistakes are named."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline_code.formulas.columns import evaluate
from pipeline_code.formulas.expressions import (
    Expression,
    FormulaError,
    Inputs,
    formula,
    ordered,
)
from pipeline_code.formulas.features import Features
from pipeline_code.formulas.rows import RowCode
from pipeline_code.formulas.vocabulary import (
    by_value,
    clip,
    code,
    cos,
    known,
    maximum,
    minimum,
    radians,
    ratio,
    sin,
    where,
)
from pipeline_code.source_contract import Field
from pipeline_code.use_case import as_column

EDGES = [0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1e308, -1e308, math.inf, -math.inf, math.nan, 3.5]


def field(name: str, kind: str) -> Field:
    return Field(name, kind, True, None, None, (), "", "")


FIELDS = {
    "a": field("a", "number"),
    "b": field("b", "number"),
    "town": field("town", "string"),
    "at": field("at", "datetime"),
}
INPUTS = Inputs({"all": FIELDS})
TOWNS = [None, "", "Rome", "Oslo", "Bern"]
MOMENTS = [None, "1969-12-31T23:59", "2013-02-28T00:00", "2024-02-29T13:07"]
A, B, AT, TOWN = INPUTS["a"], INPUTS["b"], INPUTS.moment("at"), INPUTS.text("town")


def letters(text: str | None) -> float:
    return -1.0 if text is None else len(text)


LEAVES = [
    A,
    B,
    AT.day,
    AT.minute_of_day,
    AT.day_of_week,
    code(TOWN, ("Rome", "Oslo")),
    by_value(letters, TOWN),
    where(known(TOWN) & known(AT), 1, 0),
    *(formula(value) for value in EDGES),
]
OPERATIONS: list[Callable[[Any, Any], Any]] = [
    lambda one, two: one + two,
    lambda one, two: one - two,
    lambda one, two: one * two,
    lambda one, two: one / two,
    ratio,
    maximum,
    minimum,
    lambda one, two: where((one < two) | ~known(one), two, one >= two),
    lambda one, two: where((one == two) & (two != 2), 7, one <= two),
    lambda one, two: where(one > two, one // 1440, two % 7),
    lambda one, _: -abs(one),
    lambda one, _: clip(one, -30, 240),
    lambda one, two: sin(radians(one)) + cos(two),
    lambda one, _: by_value(math.floor, clip(one, -9, 9)),
]


def random_row(random: Random) -> dict[str, Any]:
    def number() -> float | None:
        drawn = [None, random.choice(EDGES), random.uniform(-500, 500), random.randrange(-9, 99)]
        return random.choice(drawn)

    return {
        "a": number(),
        "b": number(),
        "town": random.choice(TOWNS),
        "at": random.choice(MOMENTS),
    }


def of_columns(outputs: list[Expression], rows: list[dict[str, Any]]) -> list[list[float]]:
    columns = {
        name: as_column(one.type, [row[name] for row in rows]) for name, one in FIELDS.items()
    }
    steps, places = ordered(outputs)
    values = evaluate(steps, columns)
    found = [values[place].astype(np.float64) for place in places]
    return np.column_stack(found).tolist()


def of_rows(outputs: list[Expression], rows: list[dict[str, Any]]) -> list[list[float]]:
    source = RowCode({"group": FIELDS}, outputs)
    values = ", ".join(source.value(place) for place in range(len(outputs)))
    lines = [*source.lines, f"return [{values}]"]
    names: dict[str, Any] = dict(source.names)
    exec("def row(group):\n" + "".join(f"    {line}\n" for line in lines), names)  # noqa: S102
    doubles = [{k: float(v) if isinstance(v, int) else v for k, v in row.items()} for row in rows]
    return [[float(one) for one in names["row"](SimpleNamespace(**row))] for row in doubles]


def bits(value: float) -> bytes:
    """Not-a-number is one value, whatever its sign and payload; zero has a sign."""
    return b"nan" if math.isnan(value) else np.float64(value).tobytes()


@pytest.mark.parametrize("seed", range(100))
def test_a_row_alone_gives_the_bits_that_columns_give(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - no secret is drawn
    made: list[Any] = list(LEAVES)
    for _ in range(60):
        made.append(random.choice(OPERATIONS)(random.choice(made), random.choice(made[-20:])))
    rows = [random_row(random) for _ in range(20)]

    together, alone = of_columns(made, rows), of_rows(made, rows)

    for one, other in zip(together, alone, strict=True):
        assert [bits(value) for value in one] == [bits(value) for value in other]


def test_the_same_step_is_carried_out_once() -> None:
    a, b = INPUTS["a"], INPUTS["b"]

    steps, places = ordered([(a + b) * 2, (a + b) / 2, (a + b) * 2])

    assert [step.operation for step in steps].count("add") == 1
    assert places[0] == places[2]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda x: x["moon"], "there is no input 'moon'"),
        (lambda x: x["town"], r"'town' is a text.*use \[…\] for numbers, .text"),
        (lambda x: x.text("a"), "'a' is a number"),
        (lambda x: x["a"] + x.text("town"), "the text 'town' is no number: code"),
        (lambda x: x.moment("at") / 2, None),
        (lambda x: x["a"] + x.moment("at"), "take its .day"),
        (lambda x: 1 if x["a"] > 0 else 2, r"where\(condition, then, otherwise\)"),
        (lambda x: x["a"] > 0 and x["b"] > 0, "& | ~"),
        (lambda x: max(x["a"], x["b"]), "where"),
        (lambda x: x["a"] % 0, "constant above 0"),
        (lambda x: where(x["a"], 1, 2), "is no condition"),
        (lambda x: code(x["a"], ("x",)), "takes a text"),
        (lambda x: x["a"] + "1", "'1' is no number"),
        (lambda x: sum(x["a"]), "nothing to loop over"),
    ],
)
def test_what_cannot_be_a_formula_is_refused_with_what_to_use(wrong: Any, said: str | None) -> None:
    with pytest.raises(TypeError, match=said):
        wrong(INPUTS)


def features(formulas: Any) -> Features:
    code_of_use_case = SimpleNamespace(
        FEATURES={"all": ("one", "two")}, CATEGORIES={}, formulas=formulas
    )
    return Features(code_of_use_case, {"all": FIELDS})


@pytest.mark.parametrize(
    ("formulas", "said"),
    [
        (lambda x: {"one": x["a"]}, r"without a formula are \['two'\]"),
        (lambda _: {"one": 1, "two": 2, "three": 3}, r"not in FEATURES are \['three'\]"),
        (lambda x: {"one": 1, "two": x.text("town")}, "feature 'two': the text 'town' is no"),
        (lambda _: {"one": None, "two": 2}, "feature 'one': None is no number"),
    ],
)
def test_a_wrong_set_of_features_is_refused_by_name(formulas: Any, said: str) -> None:
    with pytest.raises(FormulaError, match=said):
        features(formulas)


def test_a_function_that_fails_is_named_with_its_feature() -> None:
    def broken(text: str | None) -> float:
        raise KeyError(text)

    made = features(lambda x: {"one": x["a"] + 1, "two": by_value(broken, x.text("town"))})
    columns = {name: as_column(one.type, [None]) for name, one in FIELDS.items()}

    with pytest.raises(FormulaError, match="feature 'two': by_text failed: KeyError"):
        made.row_features(columns)
