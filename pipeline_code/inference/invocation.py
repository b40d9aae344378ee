"""``/invocations`` of the one container that does it all: *pre*, *inference* and *post*."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, TypeVar

import msgspec

from pipeline_code.formulas.arithmetic import NoMomentError
from pipeline_code.inference import media_types
from pipeline_code.inference.answers import Answer
from pipeline_code.inference.attributes import check_explained, reasons_asked
from pipeline_code.inference.batches import instances_of
from pipeline_code.inference.contract import ATTRIBUTES_HEADER, JSON, Prediction
from pipeline_code.inference.http_server import Request
from pipeline_code.inference.media_types import MediaType
from pipeline_code.inference.outputs import answer_with
from pipeline_code.inference.predictor import Predictor
from pipeline_code.inference.request_types import Row
from pipeline_code.inference.validation import checked_instances, parse_request

Done = TypeVar("Done")

NOT_AS_TYPED = (msgspec.MsgspecError, NoMomentError, UnicodeDecodeError, RecursionError)
"""What decoding and formulas raise of a request that is wrong, or that types are too narrow for.

``validation`` then says what is wrong, or gives back what is harmless."""


@lru_cache(maxsize=64)
def formats(content_type: str, accept: str) -> tuple[MediaType, MediaType]:
    """Find out a request's format, and choose its answer's."""
    given = media_types.of_request(content_type)
    return given, media_types.of_answer(accept, given)


def on_rows(
    predictor: Predictor, body: bytes, given: MediaType, work: Callable[[Sequence[Row]], Done]
) -> Done:
    """Do something with a request's rows; if it is wrong, ``BadRequestError`` says in what."""
    types, inputs = predictor.types, predictor.use_case.inputs
    if given.name == JSON:
        try:
            return work(types.decode(body).instances)
        except NOT_AS_TYPED:
            return work(types.rows(parse_request(body, inputs)))
    instances: list[Any] = instances_of(body, given, inputs)
    try:
        return work(types.rows(instances))
    except NOT_AS_TYPED:
        return work(types.rows(checked_instances(instances, inputs)))


class Invocation:
    """Answers requests in every format."""

    def __init__(self, predictor: Predictor, model_version: str) -> None:
        self._predictor = predictor
        self._model_version = model_version
        self._members = [member.name for member in predictor.ensemble.members]

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        headers = request.headers
        given, wanted = formats(headers.get("content-type", ""), headers.get("accept", ""))
        reasons = reasons_asked(request) if ATTRIBUTES_HEADER in headers else 0
        work = partial(self._explained, reasons) if reasons else self._predictor.predict_rows
        predictions = on_rows(self._predictor, request.body, given, work)
        return answer_with(predictions, wanted, self._model_version, self._members)

    def _explained(self, count: int, rows: Sequence[Row]) -> list[Prediction]:
        check_explained(len(rows))
        answers = self._predictor.predict_rows(rows)
        reasons = self._predictor.explained(self._predictor.rows_matrix(rows), count)
        for answer, found in zip(answers, reasons, strict=True):
            answer["reasons"] = found
        return answers
