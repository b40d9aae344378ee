"""What formulas are made of: inputs, constants and operations, noted down instead of carried out.

A number is a double; null and what cannot be computed are NaN, which every operation passes on. A
condition on NaN is false. A text is a ``str`` or null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias, TypeVar

from pipeline_code.source_contract import Field

Detail: TypeAlias = Any


class FormulaError(TypeError):
    """A formula that cannot be computed; the message names what is wrong and what to use."""


@dataclass(frozen=True, eq=False, repr=False)
class Expression:
    """One operation on other expressions; ``detail`` is what else it needs, such as a constant."""

    operation: str
    operands: tuple[Expression, ...] = ()
    detail: Detail = None

    def __bool__(self) -> NoReturn:
        raise FormulaError(
            "a formula knows no row, so there is nothing to decide yet: write "
            "where(condition, then, otherwise) for `if`, and & | ~ for `and`, `or`, `not`"
        )

    def __iter__(self) -> NoReturn:
        raise FormulaError("a formula is about one row: there is nothing to loop over")


class Number(Expression):
    """A number of each row."""

    def __add__(self, other: Operand) -> Number:
        return _arithmetic("add", self, other)

    def __radd__(self, other: Operand) -> Number:
        return _arithmetic("add", other, self)

    def __sub__(self, other: Operand) -> Number:
        return _arithmetic("subtract", self, other)

    def __rsub__(self, other: Operand) -> Number:
        return _arithmetic("subtract", other, self)

    def __mul__(self, other: Operand) -> Number:
        return _arithmetic("multiply", self, other)

    def __rmul__(self, other: Operand) -> Number:
        return _arithmetic("multiply", other, self)

    def __truediv__(self, other: Operand) -> Number:
        return _arithmetic("divide", self, other)

    def __rtruediv__(self, other: Operand) -> Number:
        return _arithmetic("divide", other, self)

    def __floordiv__(self, other: float) -> Number:
        return _arithmetic("floor_divide", self, _positive("//", other))

    def __mod__(self, other: float) -> Number:
        return _arithmetic("modulo", self, _positive("%", other))

    def __neg__(self) -> Number:
        return Number("negative", (self,))

    def __abs__(self) -> Number:
        return Number("absolute", (self,))

    def __lt__(self, other: Operand) -> Condition:
        return Condition("less", (self, number(other)))

    def __le__(self, other: Operand) -> Condition:
        return Condition("less_equal", (self, number(other)))

    def __gt__(self, other: Operand) -> Condition:
        return Condition("greater", (self, number(other)))

    def __ge__(self, other: Operand) -> Condition:
        return Condition("greater_equal", (self, number(other)))

    def __eq__(self, other: object) -> Condition:  # type: ignore[override] # noted, not compared
        return Condition("equal", (self, number(other)))

    def __ne__(self, other: object) -> Condition:  # type: ignore[override] # noted, not compared
        return Condition("not_equal", (self, number(other)))

    __hash__ = object.__hash__


class Condition(Expression):
    """True or false of each row; as a feature it is 1 or 0."""

    def __and__(self, other: Condition) -> Condition:
        return Condition("both", (self, condition(other)))

    def __or__(self, other: Condition) -> Condition:
        return Condition("either", (self, condition(other)))

    def __invert__(self) -> Condition:
        return Condition("opposite", (self,))


class Text(Expression):
    """A text of each row; ``code`` and ``by_value`` make numbers of it."""


class Moment(Expression):
    """A local date and time of each row, to the minute."""

    @property
    def minutes(self) -> Number:
        """Minutes since 1970-01-01T00:00."""
        return Number("minutes", (self,))

    @property
    def day(self) -> Number:
        """Days since 1970-01-01."""
        return self.minutes // 1440

    @property
    def minute_of_day(self) -> Number:
        """Minutes since midnight."""
        return self.minutes % 1440

    @property
    def day_of_week(self) -> Number:
        """Monday is 0."""
        return (self.day + 3) % 7  # 1970-01-01 was a Thursday


Operand: TypeAlias = Number | float
Formula: TypeAlias = Number | Condition

Kind = TypeVar("Kind", bound=Expression)

KINDS: Mapping[str, type[Expression]] = {
    "number": Number,
    "integer": Number,
    "string": Text,
    "datetime": Moment,
}


class Inputs:
    """The inputs of a row by name (``inputs.yaml``), all groups together."""

    def __init__(self, groups: Mapping[str, Mapping[str, Field]]) -> None:
        self._kinds = {
            name: KINDS[field.type] for fields in groups.values() for name, field in fields.items()
        }

    def __getitem__(self, name: str) -> Number:
        """Take a number."""
        return self._take(name, Number, "[…]")

    def text(self, name: str) -> Text:
        """Take a text."""
        return self._take(name, Text, ".text(…)")

    def moment(self, name: str) -> Moment:
        """Take a local date and time."""
        return self._take(name, Moment, ".moment(…)")

    def _take(self, name: str, kind: type[Kind], how: str) -> Kind:
        found = self._kinds.get(name)
        if found is None:
            raise FormulaError(f"there is no input {name!r}; inputs.yaml has {sorted(self._kinds)}")
        if found is not kind:
            raise FormulaError(
                f"the input {name!r} is a {found.__name__.lower()}, which {how} does not take: "
                "use […] for numbers, .text(…) for texts, .moment(…) for dates and times"
            )
        return kind("input", (), name)


def number(value: object) -> Number:
    """Make a constant an expression; refuse what is no number."""
    if isinstance(value, Number):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Number("constant", (), float(value))
    raise FormulaError(f"{_shown(value)} is no number{_way_out(value)}")


def condition(value: object) -> Condition:
    """Refuse what is no condition."""
    if isinstance(value, Condition):
        return value
    raise FormulaError(f"{_shown(value)} is no condition: compare something, such as `x > 0`")


def formula(value: object) -> Formula:
    """Accept a number, a condition or a constant."""
    return value if isinstance(value, Condition) else number(value)


def ordered(outputs: Iterable[Expression]) -> tuple[list[Expression], list[int]]:
    """List all operations, each once and after its operands; give the outputs' places.

    The operands of the listed operations are the listed ones.
    """
    steps: list[Expression] = []
    places: dict[object, int] = {}

    def place(one: Expression) -> int:
        operands = tuple(place(each) for each in one.operands)
        key = (one.operation, operands, repr(one.detail), id(one.detail))
        if isinstance(one.detail, str | float | tuple):
            key = (one.operation, operands, repr(one.detail), 0)
        if key not in places:
            places[key] = len(steps)
            shared = tuple(steps[each] for each in operands)
            steps.append(type(one)(one.operation, shared, one.detail))
        return places[key]

    return steps, [place(one) for one in outputs]


def _arithmetic(operation: str, left: object, right: object) -> Number:
    return Number(operation, (number(left), number(right)))


def _positive(sign: str, value: object) -> float:
    if not isinstance(value, int | float) or not value > 0:
        raise FormulaError(f"`{sign}` takes a constant above 0, not {_shown(value)}")
    return float(value)


def _shown(value: object) -> str:
    if isinstance(value, Expression):
        name = f" {value.detail!r}" if value.operation == "input" else ""
        return f"the {type(value).__name__.lower()}{name}"
    return repr(value)


def _way_out(value: object) -> str:
    ways = {
        Text: ": code(text, vocabulary) or by_value(function, text) makes one of it",
        Moment: ": take its .day, .minute_of_day, .day_of_week or .minutes",
        Condition: ": where(condition, 1, 0) makes one of it",
    }
    return next((way for kind, way in ways.items() if isinstance(value, kind)), "")
