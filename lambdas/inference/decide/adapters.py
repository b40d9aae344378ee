"""The prediction log in DynamoDB, read by many ids at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdas.common.backoff import Pause, pause
from lambdas.common.items import from_item, to_item
from lambdas.common.refusals import RefusedError
from lambdas.inference.decide.logic import LoggedPrediction, logged_prediction

_BATCH = 100
"""Items that one ``BatchGetItem`` takes."""
_ATTEMPTS = 6
_RETRY_AFTER_SECONDS = 5


class DynamoLoggedPredictions:
    """Predictions by their ids."""

    def __init__(self, client: Any, table: str, pause: Pause = pause) -> None:
        self._client = client
        self._table = table
        self._pause = pause

    def find(self, prediction_ids: Sequence[str]) -> Mapping[str, LoggedPrediction]:
        """Find predictions by their ids; what is not there is left out."""
        found: dict[str, LoggedPrediction] = {}
        for start in range(0, len(prediction_ids), _BATCH):
            keys = [to_item({"prediction_id": each}) for each in prediction_ids[start:][:_BATCH]]
            for item in self._read(keys):
                logged = logged_prediction(from_item(item))
                found[logged["prediction_id"]] = logged
        return found

    def _read(self, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        wanted: dict[str, Any] = {self._table: {"Keys": keys}}
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(attempt)
            answer = self._client.batch_get_item(RequestItems=wanted)
            items.extend(answer["Responses"].get(self._table, []))
            wanted = answer.get("UnprocessedKeys", {})
            if not wanted:
                return items
        detail = "The prediction log is overloaded."
        headers = {"Retry-After": str(_RETRY_AFTER_SECONDS)}
        raise RefusedError(503, "log-unavailable", detail, headers=headers)
