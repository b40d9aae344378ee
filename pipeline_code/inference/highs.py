"""HiGHS through its C interface: one linear or mixed-integer program in, its solution out.

Standard library only, because a function solves small problems: the library is one file of the
package ``highsbox``, which image and development install and a layer brings to the function.
Options are fixed, so that the same program has the same solution.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = "highsbox"
_ROWWISE, _MAXIMISE, _INTEGER = 2, -1, 1
_OPTIMAL, _EMPTY, _TIME_LIMIT = 7, 6, 13
_FAILED = -1
SEED = 0


class SolverMissingError(RuntimeError):
    """The solver's library is not installed."""


class SolverFailedError(RuntimeError):
    """The solver refused a program or found no solution of one that has some."""


class TimeIsOverError(RuntimeError):
    """The solver did not finish within its time."""


@dataclass(frozen=True)
class Program:
    """Maximise ``gains @ x``; each row adds up some of ``x``, weighted, to its limit at most."""

    gains: Sequence[float]
    lower: Sequence[float]
    upper: Sequence[float]
    rows: Sequence[Sequence[tuple[int, float]]]
    limits: Sequence[float]
    whole: Sequence[bool]


class Solution(NamedTuple):
    """The best ``x``, and what one more of each row's limit gains; without meaning for integers."""

    values: list[float]
    prices: list[float]


def version() -> str:
    """Name the solver, as it stands in what it decided."""
    text: bytes = _library().Highs_version()
    return f"HiGHS {text.decode()}"


def solve(program: Program, seconds: float, *, relaxed: bool = False) -> Solution:
    """Solve a program that has a solution; ``relaxed`` forgets which values must be whole.

    Raises ``TimeIsOverError``.
    """
    library = _library()
    highs = library.Highs_create()
    try:
        _set_options(library, highs, seconds)
        _pass(library, highs, program, relaxed=relaxed)
        if library.Highs_run(highs) == _FAILED:
            raise SolverFailedError("the solver stopped with an error")
        _check(library.Highs_getModelStatus(highs))
        columns, rows = len(program.gains), len(program.rows)
        values, reduced = _doubles([0.0] * columns), _doubles([0.0] * columns)
        activities, prices = _doubles([0.0] * rows), _doubles([0.0] * rows)
        library.Highs_getSolution(highs, values, reduced, activities, prices)
        return Solution(list(values), list(prices))
    finally:
        library.Highs_destroy(highs)


def _check(status: int) -> None:
    if status == _TIME_LIMIT:
        raise TimeIsOverError("the solver's time is over")
    if status not in {_OPTIMAL, _EMPTY}:
        raise SolverFailedError(f"the solver ended with model status {status}")


def _set_options(library: ctypes.CDLL, highs: int, seconds: float) -> None:
    library.Highs_setBoolOptionValue(highs, b"output_flag", 0)
    library.Highs_setIntOptionValue(highs, b"threads", 1)
    library.Highs_setIntOptionValue(highs, b"random_seed", SEED)
    library.Highs_setStringOptionValue(highs, b"parallel", b"off")
    library.Highs_setDoubleOptionValue(highs, b"mip_rel_gap", 0.0)
    library.Highs_setDoubleOptionValue(highs, b"time_limit", seconds)


def _pass(library: ctypes.CDLL, highs: int, program: Program, *, relaxed: bool) -> None:
    entries = [entry for row in program.rows for entry in row]
    starts, total = [], 0
    for row in program.rows:
        starts.append(total)
        total += len(row)
    status = library.Highs_passMip(
        highs,
        len(program.gains),
        len(program.rows),
        total,
        _ROWWISE,
        _MAXIMISE,
        0.0,
        _doubles(program.gains),
        _doubles(program.lower),
        _doubles(program.upper),
        _doubles([float("-inf")] * len(program.rows)),
        _doubles(program.limits),
        _integers(starts),
        _integers([column for column, _ in entries]),
        _doubles([weight for _, weight in entries]),
        _integers([0 if relaxed or not whole else _INTEGER for whole in program.whole]),
    )
    if status == _FAILED:
        raise SolverFailedError("the solver does not take the program")


def _doubles(values: Sequence[float]) -> ctypes.Array[ctypes.c_double]:
    return (ctypes.c_double * len(values))(*values)


def _integers(values: Sequence[int]) -> ctypes.Array[ctypes.c_int]:
    return (ctypes.c_int * len(values))(*values)


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(library_file()))
    library.Highs_create.restype = ctypes.c_void_p
    library.Highs_version.restype = ctypes.c_char_p
    number, name = ctypes.c_double, ctypes.c_char_p
    handle, whole = ctypes.c_void_p, ctypes.c_int
    library.Highs_destroy.argtypes = [handle]
    library.Highs_run.argtypes = [handle]
    library.Highs_getModelStatus.argtypes = [handle]
    library.Highs_setBoolOptionValue.argtypes = [handle, name, whole]
    library.Highs_setIntOptionValue.argtypes = [handle, name, whole]
    library.Highs_setStringOptionValue.argtypes = [handle, name, name]
    library.Highs_setDoubleOptionValue.argtypes = [handle, name, number]
    library.Highs_getSolution.argtypes = [handle, *[ctypes.c_void_p] * 4]
    library.Highs_passMip.argtypes = [
        handle, *[whole] * 5, number, *[ctypes.c_void_p] * 9
    ]  # fmt: skip
    return library


def library_file() -> Path:
    """Find the solver's library without importing its package."""
    found = importlib.util.find_spec(PACKAGE)
    for place in (found.submodule_search_locations or []) if found else []:
        for path in sorted(Path(place, "highs_dist", "lib").glob("libhighs.*")):
            if path.suffix in {".so", ".dylib"}:
                return path
    raise SolverMissingError(f"the package {PACKAGE} is not installed: it brings HiGHS")
