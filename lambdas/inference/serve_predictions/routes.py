"""Which operation a request asks for."""

from __future__ import annotations

import re
from typing import NamedTuple

from lambdas.common.refusals import RefusedError
from lambdas.inference.contract import PREDICTIONS_PATH

CREATE = "create"
FIND = "find"
_ONE = re.compile(rf"^{PREDICTIONS_PATH}/(?P<prediction_id>[^/]+)$")


class Route(NamedTuple):
    """An operation, and the prediction that it is about."""

    operation: str
    prediction_id: str = ""


def route(method: str, path: str) -> Route:
    """Find the operation; refuses unknown paths and methods."""
    path = path.rstrip("/")
    if path == PREDICTIONS_PATH:
        _allow(method, "POST", path)
        return Route(CREATE)
    one = _ONE.match(path)
    if one:
        _allow(method, "GET", path)
        return Route(FIND, one["prediction_id"])
    detail = f"There is nothing at {path or '/'}; predictions are at {PREDICTIONS_PATH}."
    raise RefusedError(404, "unknown-path", detail)


def _allow(method: str, allowed: str, path: str) -> None:
    if method != allowed:
        detail = f"{method} is not possible at {path}; only {allowed} is."
        raise RefusedError(405, "method-not-allowed", detail, headers={"Allow": allowed})
