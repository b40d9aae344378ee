"""``/invocations`` of the one container that does it all: *pre*, *inference* and *post*."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from pipeline_code.formulas.arithmetic import NoMomentError
from pipeline_code.inference import media_types
from pipeline_code.inference.answers import Answer
from pipeline_code.inference.batches import instances_of
from pipeline_code.inference.contract import JSON, Prediction
from pipeline_code.inference.http_server import Request
from pipeline_code.inference.media_types import MediaType
from pipeline_code.inference.outputs import answer_with
from pipeline_code.inference.predictor import Predictor
from pipeline_code.inference.validation import checked_instances, parse_request

NOT_AS_TYPED = (msgspec.MsgspecError, NoMomentError, UnicodeDecodeError, RecursionError)
"""What decoding and formulas raise of a request that is wrong, or that types are too narrow for.

``validation`` then says what is wrong, or gives back what is harmless."""

media_type_of = lru_cache(maxsize=64)(media_types.of_request)


class Invocation:
    """Answers requests in every format."""

    def __init__(self, predictor: Predictor, model_version: str) -> None:
        self._predictor = predictor
        self._model_version = model_version
        self._members = [member.name for member in predictor.ensemble.members]

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        given = media_type_of(request.headers.get("content-type", ""))
        wanted = media_types.of_answer(request.headers.get("accept", ""), given)
        predictions = self._predictions(request.body, given)
        return answer_with(predictions, wanted, self._model_version, self._members)

    def _predictions(self, body: bytes, given: MediaType) -> list[Prediction]:
        predictor, inputs = self._predictor, self._predictor.use_case.inputs
        if given.name == JSON:
            try:
                return predictor.predict_rows(predictor.types.decode(body).instances)
            except NOT_AS_TYPED:
                return predictor.predict(parse_request(body, inputs))
        instances: list[Any] = instances_of(body, given, inputs)
        try:
            return predictor.predict(instances)
        except NOT_AS_TYPED:
            return predictor.predict(checked_instances(instances, inputs))
