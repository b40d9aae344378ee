"""Decides what the API tells of models, of deployments, and of what a prediction rests on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

from lambdas.common.api import ApiRequest, ApiResponse
from lambdas.common.errors import DocumentNotFoundError
from lambdas.common.ledger import LedgerRecord
from lambdas.common.model_records import ModelRecord
from lambdas.common.refusals import RefusedError

DEPLOYED = "model_deployed"
"""The ledger's event of a version that serves from now on, however it came to that."""
MAX_VERSION = 99_999_999
DEFAULT_LIMIT = 20
MAX_LIMIT = 100
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_PREDICTION_ID = re.compile(r"[A-Za-z0-9-]{1,128}", re.ASCII)
_SHOWN = 80
_TOLD = (
    "version",
    "model_id",
    "state",
    "registered_at",
    "dataset_id",
    "verdict",
    "reasons",
    "metrics",
    "rules",
    "members",
    "training_id",
    "config_digest",
    "artefact_sha256",
    "image_uri",
    "code_commit",
    "requested_by",
    "champion_version",
)
"""What of a version's record is told: all that says what it is, nothing of where it is kept."""


class PredictionOrigin(NamedTuple):
    """Who asked for a prediction, when, and which version gave it."""

    model_version: str
    created_at: str
    correlation_id: str


class Models(Protocol):
    """The model repository."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""

    def versions(self, before: int, limit: int) -> Sequence[ModelRecord]:
        """Read the versions with smaller numbers, newest first."""


class Predictions(Protocol):
    """The prediction log."""

    def origin(self, prediction_id: str) -> PredictionOrigin | None:
        """Find where a prediction comes from, if it has not expired."""


class Datasets(Protocol):
    """The published datasets."""

    def record(self, dataset_id: str) -> Mapping[str, Any] | None:
        """Read a version's record."""

    def provenance(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Read what a version was made of; raises ``DocumentNotFoundError`` when it expired."""


class History(Protocol):
    """The ledger, from its end."""

    def newest_first(self, event_type: str) -> Iterable[LedgerRecord]:
        """Read the records of a type."""


@dataclass(frozen=True)
class Records:
    """All that is read."""

    models: Models
    predictions: Predictions
    datasets: Datasets
    history: History
    document: Callable[[], Mapping[str, Any]]

    def list_models(self, request: ApiRequest) -> ApiResponse:
        """Give a page of versions, newest first."""
        before = _number(request, "before", MAX_VERSION + 1, MAX_VERSION)
        limit = _number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
        found = self.models.versions(before, limit)
        following = found[-1]["version"] if len(found) == limit else None
        return _answer({"models": [_told(each) for each in found], "next": following})

    def get_model(self, request: ApiRequest) -> ApiResponse:
        """Give one version."""
        text = request.parameters.get("version", "")
        version = _whole("version", text, MAX_VERSION)
        record = self.models.version(version)
        if record is None:
            raise RefusedError(404, "unknown-version", f"There is no version {version}.")
        return _answer(_told(record))

    def list_deployments(self, request: ApiRequest) -> ApiResponse:
        """Give what served at a time, or what has served so far."""
        at = request.query.get("at")
        if at is not None and not _TIME.fullmatch(at):
            raise _wrong("at", at, "a time such as 2026-01-31T12:00:00Z")
        limit = _number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
        found: list[dict[str, Any]] = []
        ended: str | None = None
        for record in self.history.newest_first(DEPLOYED):
            if at is None or _sortable(record["at"]) <= _sortable(at):
                found.append(_deployment(record, ended))
            if len(found) == (limit if at is None else 1):
                break
            ended = record["at"]
        return _answer({"deployments": found})

    def get_lineage(self, request: ApiRequest) -> ApiResponse:
        """Give what a prediction rests on."""
        prediction_id = request.parameters.get("prediction_id", "")
        known = _PREDICTION_ID.fullmatch(prediction_id)
        origin = self.predictions.origin(prediction_id) if known else None
        if origin is None:
            detail = f"There is no prediction {prediction_id[:_SHOWN]}, or it has expired."
            raise RefusedError(404, "unknown-prediction", detail)
        record = self.models.version(int(origin.model_version))
        return _answer(
            {
                "prediction_id": prediction_id,
                "created_at": origin.created_at,
                "correlation_id": origin.correlation_id,
                "model": _told(record) if record else None,
                "dataset": self._dataset(record["dataset_id"]) if record else None,
            }
        )

    def get_document(self, _request: ApiRequest) -> ApiResponse:
        """Give the document that describes the API."""
        return _answer(self.document())

    def _dataset(self, dataset_id: str) -> dict[str, Any] | None:
        record = self.datasets.record(dataset_id)
        if record is None:
            return None
        told: dict[str, Any] = {
            "dataset_id": dataset_id,
            **{name: record[name] for name in ("published_at", "batch_id", "run_id")},
            "code_version": record["code_version"],
        }
        try:
            made = self.datasets.provenance(record)
        except DocumentNotFoundError:
            return {**told, "expired": True}
        return {
            **told,
            "expired": False,
            "code_commit": made["code_commit"],
            "engine": made["engine"],
            "objects": [dict(each) for each in made["objects"]],
        }


def _answer(document: Mapping[str, Any]) -> ApiResponse:
    return ApiResponse(200, document, {})


def _told(record: ModelRecord) -> dict[str, Any]:
    known = cast(Mapping[str, Any], record)
    return {name: known[name] for name in _TOLD if name in known}


def _deployment(record: LedgerRecord, ended: str | None) -> dict[str, Any]:
    return {
        "version": int(record["subject"].removeprefix("v")),
        "from": record["at"],
        "to": ended,
        "reason": record["reason"],
        "requested_by": record["actor"],
        "event": record["event_type"],
        "evidence": dict(record["evidence"]),
    }


def _sortable(time: str) -> str:
    """Give a time in microseconds, so that texts sort as times do."""
    whole, _, fraction = time.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<6}"


def _number(request: ApiRequest, name: str, default: int, maximum: int) -> int:
    text = request.query.get(name)
    return default if text is None else _whole(name, text, maximum)


def _whole(name: str, text: str, maximum: int) -> int:
    value = int(text) if text.isascii() and text.isdecimal() and len(text) <= len("99999999") else 0
    if not 1 <= value <= maximum:
        raise _wrong(name, text, f"a whole number from 1 to {maximum}")
    return value


def _wrong(name: str, value: str, allowed: str) -> RefusedError:
    return RefusedError(
        400,
        "invalid-request",
        f"{name} is not as allowed.",
        errors=[{"pointer": name, "value": value[:_SHOWN], "allowed": allowed}],
    )
