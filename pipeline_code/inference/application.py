"""The endpoint's HTTP interface: ``/ping`` and ``/invocations``."""

from __future__ import annotations

import logging
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import msgspec

from pipeline_code.formulas.arithmetic import NoMomentError
from pipeline_code.inference import media_types
from pipeline_code.inference.answers import Answer, RefusedError, ok, problem
from pipeline_code.inference.batches import instances_of
from pipeline_code.inference.contract import JSON, Prediction
from pipeline_code.inference.golden_check import GoldenCheck
from pipeline_code.inference.http_server import Request
from pipeline_code.inference.media_types import MediaType
from pipeline_code.inference.outputs import answer_with
from pipeline_code.inference.predictor import Predictor
from pipeline_code.inference.validation import (
    BadRequestError,
    checked_instances,
    parse_request,
)

logger = logging.getLogger(__name__)

METHODS = {"/invocations": "POST", "/ping": "GET"}


class ModelApplication:
    """Answers requests with one predictor; well only while a golden answer comes out right."""

    def __init__(self, predictor: Predictor, golden: GoldenCheck, model_version: str) -> None:
        self._predictor = predictor
        self._inputs = predictor.use_case.inputs
        self._members = [member.name for member in predictor.ensemble.members]
        self._golden = golden
        self._model_version = model_version

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        try:
            return self._route(request)
        except RefusedError as refused:
            return refused.answer.said_by(self._model_version)
        except Exception:
            logger.exception("unexpected error while answering %s %s", request.method, request.path)
            failed = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The model could not answer.")
            return failed.said_by(self._model_version)

    def _route(self, request: Request) -> Answer:
        allowed = METHODS.get(request.path)
        if allowed is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"There is no {request.path[:100]}.")
        if request.method != allowed:
            headers = {"allow": allowed}
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, f"Use {allowed}.", (), headers)
        return self._ping() if request.path == "/ping" else self._invoke(request)

    def _ping(self) -> Answer:
        failure = self._golden.failure()
        if failure:
            logger.error("golden request failed: %s", failure)
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "The model answers wrongly.")
        return ok(b"{}")

    def _invoke(self, request: Request) -> Answer:
        headers = request.headers
        given = _media_type(headers.get("content-type", ""))
        wanted = media_types.of_answer(headers.get("accept", ""), given)
        try:
            predictions = self._predictions(request.body, given)
        except BadRequestError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, error.detail, error.errors) from error
        return answer_with(predictions, wanted, self._model_version, self._members)

    def _predictions(self, body: bytes, given: MediaType) -> list[Prediction]:
        predictor = self._predictor
        instances: list[Any] | None = None
        try:
            if given.name == JSON:
                return predictor.predict_rows(predictor.types.decode(body).instances)
            instances = instances_of(body, given, self._inputs)
            return predictor.predict(instances)
        except (msgspec.MsgspecError, NoMomentError, UnicodeDecodeError, RecursionError):
            # Either this says what is wrong, or the types are too narrow for something harmless.
            if instances is None:
                return predictor.predict(parse_request(body, self._inputs))
            return predictor.predict(checked_instances(instances, self._inputs))


_media_type = lru_cache(maxsize=64)(media_types.of_request)
