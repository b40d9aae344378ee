"""Decides what the API answers about decisions: made, kept, and found again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict

from lambdas.common.api import ApiRequest, ApiResponse
from lambdas.common.api_body import read_document
from lambdas.common.clock import Clock
from lambdas.common.refusals import RefusedError
from lambdas.inference.contract import DECISIONS_PATH, MAX_DECIDED_AT_ONCE
from lambdas.inference.decisions import DecisionStore, keep_decision
from pipeline_code.inference.decision_request import BadDecisionRequestError
from pipeline_code.inference.decisions import Decider, decide

_ID = re.compile(r"[A-Za-z0-9-]{1,128}", re.ASCII)
_SHOWN_CHARACTERS = 128
_REFERENCE = {"prediction_id", "action"}
"""Fields of an item that names a stored prediction and says nothing else of it."""


class LoggedPrediction(TypedDict):
    """What the prediction log knows of a prediction."""

    prediction_id: str
    entity_id: str
    probability: float
    instance: dict[str, Any]


class LoggedPredictions(Protocol):
    """The prediction log."""

    def find(self, prediction_ids: Sequence[str]) -> Mapping[str, LoggedPrediction]:
        """Find predictions by their ids; what is not there is left out."""


@dataclass(frozen=True)
class DecisionService:
    """The API's operations on a decider, a log and a store."""

    decider: Decider
    predictions: LoggedPredictions
    store: DecisionStore
    clock: Clock

    def answer(self, request: ApiRequest) -> ApiResponse:
        """Answer a request; raises ``RefusedError``."""
        path = request.path.rstrip("/")
        one = path.removeprefix(f"{DECISIONS_PATH}/")
        if path == DECISIONS_PATH:
            _allow(request.method, "POST", path)
            return self._create(request)
        if one != path and "/" not in one:
            _allow(request.method, "GET", path)
            return self._find(one)
        detail = f"There is nothing at {path or '/'}; decisions are at {DECISIONS_PATH}."
        raise RefusedError(404, "unknown-path", detail)

    def _create(self, request: ApiRequest) -> ApiResponse:
        document = self._filled(read_document(request))
        try:
            answer = decide(document, self.decider)
        except RecursionError as error:
            detail = "The body is nested too deeply."
            raise RefusedError(400, "malformed-json", detail) from error
        except BadDecisionRequestError as error:
            raise RefusedError(
                400, "invalid-request", f"The request cannot be decided: {error}.",
                errors=error.errors,
            ) from error  # fmt: skip
        return ApiResponse(200, keep_decision(answer, self.store, self.clock).document, {})

    def _find(self, decision_id: str) -> ApiResponse:
        record = self.store.find(decision_id) if _ID.fullmatch(decision_id) else None
        if record is None:
            detail = f"There is no decision {decision_id[:_SHOWN_CHARACTERS]}."
            raise RefusedError(404, "unknown-decision", detail)
        return ApiResponse(200, self.store.read(record), {})

    def _filled(self, document: Any) -> Any:
        """Put what the log knows in the place of items that are just a prediction's id."""
        items = document.get("predictions") if isinstance(document, dict) else None
        if not isinstance(items, list):
            return document
        _check_size(document)
        named = [item["prediction_id"] for item in items if _is_reference(item)]
        known = self.predictions.find(list(dict.fromkeys(named))) if named else {}
        missing = [each for each in named if each not in known]
        if missing:
            raise _unknown(items, set(missing))
        filled = [
            {**item, **known[item["prediction_id"]]} if _is_reference(item) else item
            for item in items
        ]
        return {**document, "predictions": filled}


def logged_prediction(stored: Mapping[str, Any]) -> LoggedPrediction:
    """Read a stored prediction; one that refers to no entity stands for itself."""
    return {
        "prediction_id": stored["prediction_id"],
        "entity_id": stored.get("entity_id", stored["prediction_id"]),
        "probability": json.loads(stored["answer"])["probability"],
        "instance": json.loads(stored["instance"]),
    }


def _is_reference(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and set(item) <= _REFERENCE
        and isinstance(item.get("prediction_id"), str)
        and bool(_ID.fullmatch(item["prediction_id"]))
    )


def _check_size(document: Mapping[str, Any]) -> None:
    lists = (document.get("predictions"), document.get("later"))
    count = sum(len(each) for each in lists if isinstance(each, list))
    if count > MAX_DECIDED_AT_ONCE:
        detail = (
            f"The request carries {count} entities; at most {MAX_DECIDED_AT_ONCE} are decided "
            "while you wait. The decision workflow takes more: fourblocks decide --workflow."
        )
        raise RefusedError(413, "too-many-entities", detail)


def _unknown(items: Sequence[Any], missing: set[str]) -> RefusedError:
    allowed = "of a prediction that is kept; it is found some seconds after it was made"
    errors = [
        {"pointer": f"/predictions/{index}/prediction_id", "value": item["prediction_id"],
         "allowed": allowed}
        for index, item in enumerate(items)
        if _is_reference(item) and item["prediction_id"] in missing
    ]  # fmt: skip
    detail = f"{len(errors)} predictions are not known."
    return RefusedError(404, "unknown-prediction", detail, errors=errors)


def _allow(method: str, allowed: str, path: str) -> None:
    if method != allowed:
        detail = f"{method} is not possible at {path}; only {allowed} is."
        raise RefusedError(405, "method-not-allowed", detail, headers={"Allow": allowed})
