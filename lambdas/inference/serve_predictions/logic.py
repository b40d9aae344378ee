"""Decides what the API answers: predictions asked for, stored, and found again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, Protocol, cast

from lambdas.common.api import ApiRequest, ApiResponse, problem_response
from lambdas.common.api_body import check_media_type, read_body
from lambdas.common.refusals import RefusedError
from lambdas.inference.contract import AWAITING_OUTCOME
from lambdas.inference.prediction_messages import StoredPrediction
from lambdas.inference.serve_predictions.refusals import (
    EndpointRefusedError,
    EndpointUnavailableError,
)
from lambdas.inference.serve_predictions.request_body import parse_request
from lambdas.inference.serve_predictions.routes import CREATE, route
from pipeline_code.data_pipeline.contract import label_bucket
from pipeline_code.inference.contract import PredictionRequest, PredictionResponse

RETRY_AFTER_SECONDS = 10
_DAY_SECONDS = 86_400
_MAX_ID_LENGTH = 128
_MAX_ERRORS = 50


class Endpoint(Protocol):
    """The model endpoint."""

    def ask(self, body: bytes) -> PredictionResponse:
        """Send a request.

        Raises ``EndpointRefusedError`` or ``EndpointUnavailableError``.
        """


class PredictionLog(Protocol):
    """Where predictions are kept."""

    def store(self, predictions: Sequence[StoredPrediction]) -> None:
        """Keep predictions; raises ``EndpointUnavailableError`` when they are not taken."""

    def find(self, prediction_id: str) -> StoredPrediction | None:
        """Find a prediction."""


Instance = dict[str, dict[str, Any] | None]


class OnlineInputs(Protocol):
    """Where inputs of entities are looked up."""

    def find(self, entities: Sequence[str]) -> list[Instance]:
        """Give each entity's instance; a group that nothing is known of is null.

        Raises ``EndpointUnavailableError``.
        """


class Now(NamedTuple):
    """A moment: as text and in seconds."""

    text: str
    seconds: int


@dataclass(frozen=True)
class PredictionService:
    """The API's operations on an endpoint and a log."""

    endpoint: Endpoint
    log: PredictionLog
    inputs: OnlineInputs
    days: int
    now: Callable[[], Now]
    new_id: Callable[[], str]

    def answer(self, request: ApiRequest) -> ApiResponse:
        """Answer a request; whatever is wrong with it becomes a problem document."""
        try:
            wanted = route(request.method, request.path)
            if wanted.operation == CREATE:
                return self._create(request)
            return self._find(wanted.prediction_id)
        except (RefusedError, EndpointRefusedError) as refusal:
            headers = refusal.headers if isinstance(refusal, RefusedError) else {}
            return problem_response(refusal.problem, headers)

    def _create(self, request: ApiRequest) -> ApiResponse:
        check_media_type(request.content_type)
        content = read_body(request.body, is_base64=request.is_base64)
        try:
            instances, references = self._asked(parse_request(content))
            if references is not None:
                # The model knows instances and nothing of whom they are about.
                content = json.dumps({"instances": instances}).encode()
            response = self.endpoint.ask(content)
            predictions = self._check(response, len(instances))
            now = self.now()
            identified = [{"prediction_id": self.new_id(), **p} for p in predictions]
            version = response["model_version"]
            self.log.store(
                [
                    self._stored(instance, given, version, request.correlation_id, now)
                    | _awaiting(reference)
                    for instance, given, reference in zip(
                        instances, identified, references or [None] * len(instances), strict=True
                    )
                ]
            )
        except EndpointUnavailableError as error:
            _refuse_now(error)
        return ApiResponse(200, {"model_version": version, "predictions": identified}, {})

    def _asked(self, request: PredictionRequest) -> tuple[list[Any], list[str | None] | None]:
        """Give the instances to ask about, and the entities that they are about."""
        if "entities" not in request:
            return list(request["instances"]), request.get("references")
        entities = request["entities"]
        instances = self.inputs.find(entities)
        unknown = [n for n, found in enumerate(instances) if next(iter(found.values())) is None]
        if unknown:
            allowed = "an entity that the Feature Store holds"
            errors = [
                {"pointer": f"/entities/{n}", "value": entities[n], "allowed": allowed}
                for n in unknown[:_MAX_ERRORS]
            ]
            detail = f"{len(unknown)} entities are not known."
            raise RefusedError(400, "unknown-entity", detail, errors=errors)
        return list(instances), list(entities)

    def _stored(
        self,
        instance: Mapping[str, Any],
        given: Mapping[str, Any],
        version: str,
        correlation_id: str,
        now: Now,
    ) -> StoredPrediction:
        return {
            "prediction_id": given["prediction_id"],
            "model_version": version,
            "instance": json.dumps(instance),
            "answer": json.dumps(given),
            "created_at": now.text,
            "expires_at": now.seconds + self.days * _DAY_SECONDS,
            "correlation_id": correlation_id,
        }

    def _check(self, response: PredictionResponse, instances: int) -> Sequence[Mapping[str, Any]]:
        predictions = response["predictions"]
        if len(predictions) != instances:
            raise RefusedError(
                502,
                "endpoint-broken",
                f"The endpoint gave {len(predictions)} predictions for {instances} instances.",
            )
        return predictions

    def _find(self, prediction_id: str) -> ApiResponse:
        stored = self.log.find(prediction_id) if len(prediction_id) <= _MAX_ID_LENGTH else None
        # DynamoDB deletes what has expired within days, not at once.
        if stored is None or stored["expires_at"] <= self.now().seconds:
            raise RefusedError(
                404,
                "unknown-prediction",
                f"There is no prediction {prediction_id[:_MAX_ID_LENGTH]}; "
                f"predictions are kept for {self.days} days.",
            )
        document = {
            "prediction_id": stored["prediction_id"],
            "created_at": stored["created_at"],
            "model_version": stored["model_version"],
            "instance": json.loads(stored["instance"]),
            "prediction": json.loads(stored["answer"]),
            **_outcome(stored),
        }
        return ApiResponse(200, document, {})


def _awaiting(reference: str | None) -> StoredPrediction:
    """Note the entity that a prediction refers to, and where its outcome will be."""
    if reference is None:
        return cast(StoredPrediction, {})
    return cast(
        StoredPrediction, {"entity_id": reference, AWAITING_OUTCOME: label_bucket(reference)}
    )


def _outcome(stored: StoredPrediction) -> dict[str, Any]:
    """Tell the entity and, once it is known, its outcome."""
    if "entity_id" not in stored:
        return {}
    outcome = None
    if "outcome_label" in stored:
        outcome = {"label": stored["outcome_label"], "known_at": stored["outcome_known_at"]}
    return {"reference": stored["entity_id"], "outcome": outcome}


def _refuse_now(error: EndpointUnavailableError) -> NoReturn:
    raise RefusedError(
        503,
        "endpoint-unavailable",
        str(error),
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    ) from error
