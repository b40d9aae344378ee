"""LightGBM models scored through the library's C interface.

The request path needs no pandas, scipy or scikit-learn. The scores are the library's own, bit for
bit those of ``lightgbm.Booster.predict(..., raw_score=True)``.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

_FLOAT32 = 0
_RAW_SCORE = 1
_CONTRIBUTIONS = 3
_ROW_MAJOR = 1
_ALL_TREES = -1
_PARAMETERS = b"num_threads=1"

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


class BoosterError(RuntimeError):
    """The LightGBM library refused a call; the message is the library's own."""


class Booster:
    """One model, loaded from LightGBM's text format; not safe for use from several threads."""

    def __init__(self, model_text: str) -> None:
        self._library = _library()
        self._handle = ctypes.c_void_p()
        trees = ctypes.c_int()
        self._call(
            "LGBM_BoosterLoadModelFromString",
            ctypes.c_char_p(model_text.encode("utf-8")),
            ctypes.byref(trees),
            ctypes.byref(self._handle),
        )
        count = ctypes.c_int()
        self._call("LGBM_BoosterGetNumFeature", self._handle, ctypes.byref(count))
        self.feature_count = count.value
        self._row = np.empty(self.feature_count, dtype=np.float32)
        self._fast = ctypes.c_void_p()
        self._call(
            "LGBM_BoosterPredictForMatSingleRowFastInit",
            self._handle,
            ctypes.c_int(_RAW_SCORE),
            ctypes.c_int(0),
            ctypes.c_int(_ALL_TREES),
            ctypes.c_int(_FLOAT32),
            ctypes.c_int32(self.feature_count),
            ctypes.c_char_p(_PARAMETERS),
            ctypes.byref(self._fast),
        )
        self._raw_score = self.score_of(self._row.ctypes.data)

    def raw_scores(self, matrix: Matrix) -> Floats:
        """Score rows, float32 and one column a feature; answers log odds."""
        self._check_width(matrix)
        if len(matrix) == 1:
            self._row[:] = matrix[0]
            return np.array([self._raw_score()])
        return self._predicted(matrix, _RAW_SCORE, 1)[:, 0]

    def contributions(self, matrix: Matrix) -> Floats:
        """Tell what each feature adds to each row's log odds (TreeSHAP); last, what none adds."""
        self._check_width(matrix)
        return self._predicted(matrix, _CONTRIBUTIONS, self.feature_count + 1)

    def _check_width(self, matrix: Matrix) -> None:
        columns = matrix.shape[1]
        if columns != self.feature_count:
            raise BoosterError(
                f"{columns} features were given, the model reads {self.feature_count}"
            )

    def score_of(self, address: int) -> Callable[[], float]:
        """Make the function that scores the row of float32 that lies at an address."""
        predict = self._library.LGBM_BoosterPredictForMatSingleRowFast
        score = ctypes.c_double()
        given = (self._fast, ctypes.c_void_p(address), ctypes.byref(ctypes.c_int64()))
        result = ctypes.byref(score)

        def raw_score() -> float:
            if predict(*given, result):
                self._check(1)
            return score.value

        return raw_score

    def _predicted(self, given: Matrix, kind: int, width: int) -> Floats:
        matrix = np.ascontiguousarray(given, dtype=np.float32)
        rows, columns = matrix.shape
        found = np.empty((rows, width), dtype=np.float64)
        self._call(
            "LGBM_BoosterPredictForMat",
            self._handle,
            ctypes.c_void_p(matrix.ctypes.data),
            ctypes.c_int(_FLOAT32),
            ctypes.c_int32(rows),
            ctypes.c_int32(columns),
            ctypes.c_int(_ROW_MAJOR),
            ctypes.c_int(kind),
            ctypes.c_int(0),
            ctypes.c_int(_ALL_TREES),
            ctypes.c_char_p(_PARAMETERS),
            ctypes.byref(ctypes.c_int64()),
            ctypes.c_void_p(found.ctypes.data),
        )
        return found

    def _call(self, name: str, *arguments: object) -> None:
        self._check(getattr(self._library, name)(*arguments))

    def _check(self, failed: int) -> None:
        if failed:
            raise BoosterError(self._library.LGBM_GetLastError().decode("utf-8", "replace"))

    def __del__(self) -> None:
        if getattr(self, "_fast", None):
            self._library.LGBM_FastConfigFree(self._fast)
        if getattr(self, "_handle", None):
            self._library.LGBM_BoosterFree(self._handle)


@cache
def _library() -> ctypes.CDLL:
    # Finding the package does not run it: its import alone takes longer than our whole cold start.
    spec = importlib.util.find_spec("lightgbm")
    if spec is None or spec.origin is None:
        raise BoosterError("the package lightgbm is not installed")
    library = ctypes.CDLL(str(Path(spec.origin).parent / "lib" / "lib_lightgbm.so"))
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    return library
