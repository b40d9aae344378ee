"""The endpoint's HTTP interface: ``/ping`` and ``/invocations``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

from pipeline_code.inference.answers import Answer, RefusedError, ok, problem
from pipeline_code.inference.contract import ALL_STEPS, INFERENCE_STEP, POST_STEP, PRE_STEP
from pipeline_code.inference.golden_check import GoldenCheck
from pipeline_code.inference.http_server import Request
from pipeline_code.inference.invocation import Invocation
from pipeline_code.inference.predictor import Predictor
from pipeline_code.inference.steps import InferenceStep, PostStep, PreStep
from pipeline_code.inference.validation import BadRequestError

logger = logging.getLogger(__name__)

METHODS = {"/invocations": "POST", "/ping": "GET"}


class Invocable(Protocol):
    """What answers ``/invocations``."""

    def __init__(self, predictor: Predictor, model_version: str) -> None:
        """Make it."""

    def answer(self, request: Request) -> Answer:
        """Answer; raises ``BadRequestError`` or ``RefusedError``."""
        ...


INVOCATIONS: Mapping[str, type[Invocable]] = {
    ALL_STEPS: Invocation,
    PRE_STEP: PreStep,
    INFERENCE_STEP: InferenceStep,
    POST_STEP: PostStep,
}


class ModelApplication:
    """Answers requests with one predictor; well only while a golden answer comes out right."""

    def __init__(
        self, predictor: Predictor, golden: GoldenCheck, model_version: str, step: str = ALL_STEPS
    ) -> None:
        self._invoke = INVOCATIONS[step](predictor, model_version).answer
        self._golden = golden
        self._model_version = model_version

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        try:
            return self._route(request)
        except BadRequestError as error:
            bad = problem(HTTPStatus.BAD_REQUEST, error.detail, error.errors)
            return bad.said_by(self._model_version)
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
