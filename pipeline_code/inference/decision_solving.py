"""Chooses among options: exactly with HiGHS, or by a greedy rule when its time is over."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from pipeline_code.inference.decision_options import Option, Problem
from pipeline_code.inference.highs import Program, Solution, TimeIsOverError, solve

Solve = Callable[..., Solution]
_HALF = 0.5
_MORE = 1e-3
_CENT = 0.005
_ROUNDING = 1e-9


class Choice(NamedTuple):
    """The options taken now, and what one more of each limit would be worth."""

    taken: Sequence[Option]
    prices: Mapping[str, float]
    method: Literal["exact", "greedy"]


def choose(problem: Problem, seconds: float, solver: Solve = solve) -> Choice:
    """Take the best options; what is later competes for the limits, but is not decided now."""
    keys = list(problem.remaining)
    program = _program(problem, keys)
    try:
        priced = solver(_loosened(program, len(keys)), seconds, relaxed=True)
        values = _rounded(program, priced, len(keys)) or solver(program, seconds).values
    except TimeIsOverError:
        return Choice(_greedy(problem), {}, "greedy")
    prices = priced.prices[len(program.rows) - len(keys) :]
    taken = [
        option
        for option, value in zip(problem.options, values, strict=True)
        if option.entity < problem.now and value > _HALF
    ]
    positive = (price if price > _ROUNDING else 0.0 for price in prices)
    return Choice(taken, dict(zip(keys, positive, strict=True)), "exact")


def _loosened(program: Program, limits: int) -> Program:
    """Give a little more of every limit: then prices tell what more is worth, and not what less.

    Where a limit is just used up, both are prices of the program itself.
    """
    first = len(program.limits) - limits
    more = [left + (_MORE if n >= first else 0.0) for n, left in enumerate(program.limits)]
    return replace(program, limits=more)


def _rounded(program: Program, priced: Solution, limits: int) -> list[float] | None:
    """Round what the loosened program gave, if that is proven to be the best of the program.

    The prices bound what any solution is worth.
    """
    values = [1.0 if value > _HALF else 0.0 for value in priced.values]
    for row, left in zip(program.rows, program.limits, strict=True):
        if sum(weight * values[column] for column, weight in row) > left:
            return None
    spare = _MORE * sum(priced.prices[len(program.rows) - limits :])
    bound = _worth(program, priced.values) - spare
    return values if _worth(program, values) >= bound - _CENT else None


def _worth(program: Program, values: Sequence[float]) -> float:
    return sum(gain * value for gain, value in zip(program.gains, values, strict=True))


def _program(problem: Problem, keys: Sequence[str]) -> Program:
    """Give a column an option, a row an entity with several, and a row a limit."""
    options = problem.options
    by_entity: dict[int, list[tuple[int, float]]] = {}
    by_key: dict[str, list[tuple[int, float]]] = {key: [] for key in keys}
    for column, option in enumerate(options):
        by_entity.setdefault(option.entity, []).append((column, 1.0))
        for key in option.uses:
            by_key[key].append((column, 1.0))
    several = [row for row in by_entity.values() if len(row) > 1]
    fixed = [1.0 if problem.fixed(option) else 0.0 for option in options]
    return Program(
        gains=[option.net for option in options],
        lower=fixed,
        upper=[1.0] * len(options),
        rows=[*several, *by_key.values()],
        limits=[*[1.0] * len(several), *problem.remaining.values()],
        whole=[option.entity < problem.now for option in options],
    )


def _greedy(problem: Problem) -> list[Option]:
    """Take the best options first, no more of a limit than its share of what is at stake now."""
    taken = [option for option in problem.options if problem.fixed(option)]
    quota = _quotas(problem)
    for option in taken:
        _use(quota, option)
    busy = {option.entity for option in taken}
    best_first = sorted(
        (o for o in problem.options if o.entity < problem.now),
        key=lambda o: (-o.net, o.entity, o.action),
    )
    for option in best_first:
        if option.entity not in busy and all(quota[key] >= 1 for key in option.uses):
            busy.add(option.entity)
            taken.append(option)
            _use(quota, option)
    return sorted(taken, key=lambda o: o.entity)


def _use(quota: dict[str, float], option: Option) -> None:
    for key in option.uses:
        quota[key] -= 1


def _quotas(problem: Problem) -> dict[str, float]:
    now = dict.fromkeys(problem.remaining, 0.0)
    every = dict.fromkeys(problem.remaining, 0.0)
    for option in problem.options:
        for key in option.uses:
            every[key] += option.net
            now[key] += option.net if option.entity < problem.now else 0.0
    return {
        key: math.ceil(left * now[key] / every[key]) if every[key] > 0 else left
        for key, left in problem.remaining.items()
    }
