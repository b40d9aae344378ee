"""The endpoint's HTTP interface: ``/ping`` and ``/invocations``."""

from __future__ import annotations

import logging
from http import HTTPStatus

import msgspec

from pipeline_code.formulas.arithmetic import NoMomentError
from pipeline_code.inference.answers import Answer, RefusedError, ok, problem
from pipeline_code.inference.contract import JSON, Prediction
from pipeline_code.inference.golden_check import GoldenCheck
from pipeline_code.inference.http_server import Request
from pipeline_code.inference.predictor import Predictor
from pipeline_code.inference.validation import BadRequestError, parse_request

logger = logging.getLogger(__name__)

METHODS = {"/invocations": "POST", "/ping": "GET"}


class ModelApplication:
    """Answers requests with one predictor; well only while a golden answer comes out right."""

    def __init__(self, predictor: Predictor, golden: GoldenCheck, model_version: str) -> None:
        self._predictor = predictor
        self._inputs = predictor.use_case.inputs
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
        _demand_json(request)
        predictions = self._predictions(request.body)
        response = {"model_version": self._model_version, "predictions": predictions}
        return ok(msgspec.json.encode(response))

    def _predictions(self, body: bytes) -> list[Prediction]:
        try:
            return self._predictor.predict_rows(self._predictor.types.decode(body).instances)
        except (msgspec.MsgspecError, NoMomentError, UnicodeDecodeError, RecursionError):
            return self._predictor.predict(self._parsed(body))

    def _parsed(self, body: bytes) -> list[dict[str, dict[str, object] | None]]:
        """Say what is wrong; or, with what the types are too narrow for, what is given."""
        try:
            return parse_request(body, self._inputs)
        except BadRequestError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, error.detail, error.errors) from error


def _demand_json(request: Request) -> None:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        detail = f"The media type {content_type[:100]!r} is not supported, send {JSON}."
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
