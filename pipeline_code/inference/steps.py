"""*Pre*, *inference* and *post* in containers of their own, for a SageMaker inference pipeline.

What goes from one to the next is MessagePack, in which every number keeps its bits.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TypeVar

import msgspec
import numpy as np

from pipeline_code.inference import media_types
from pipeline_code.inference.answers import Answer, RefusedError, ok
from pipeline_code.inference.attributes import check_explained, reasons_asked
from pipeline_code.inference.contract import Reason
from pipeline_code.inference.http_server import Request
from pipeline_code.inference.invocation import on_rows
from pipeline_code.inference.media_types import MediaType
from pipeline_code.inference.outputs import answer_with
from pipeline_code.inference.predictor import Matrix, Predictor
from pipeline_code.inference.validation import BadRequestError

MESSAGE_PACK = "application/x-msgpack"

Message = TypeVar("Message", bound=msgspec.Struct)


class Features(msgspec.Struct):
    """From *pre* to *inference*: a matrix of float32, row by row; ``asked`` is the asked format."""

    asked: str
    columns: int
    values: bytes
    reasons: int = 0
    """How many are asked for."""

    def matrix(self) -> Matrix:
        """Unpack it."""
        if self.columns < 1 or len(self.values) % (4 * self.columns):
            raise BadRequestError(f"The values are no matrix of {self.columns} columns.")
        return np.frombuffer(self.values, np.float32).reshape(-1, self.columns)


class Scores(msgspec.Struct):
    """From *inference* to *post*: of each row the members' log odds, and what is unfamiliar."""

    asked: str
    scores: list[list[float]]
    available: list[list[bool]]
    unfamiliar: list[list[str]]
    reasons: list[list[Reason]] | None = None


class PreStep:
    """From a request to features."""

    def __init__(self, predictor: Predictor, model_version: str) -> None:
        del model_version
        self._predictor = predictor

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        given = media_types.of_request(request.headers.get("content-type", ""))
        reasons = reasons_asked(request)
        matrix = on_rows(self._predictor, request.body, given, self._predictor.rows_matrix)
        if reasons:
            check_explained(len(matrix))
        return _packed(Features(given.name, matrix.shape[1], matrix.tobytes(), reasons))


class InferenceStep:
    """From features to the members' log odds."""

    def __init__(self, predictor: Predictor, model_version: str) -> None:
        del model_version
        self._predictor = predictor

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        features = _unpacked(request, Features)
        matrix, ensemble = features.matrix(), self._predictor.ensemble
        if features.columns != len(ensemble.features):
            detail = f"{features.columns} features came, the model reads {len(ensemble.features)}."
            raise BadRequestError(detail)
        scores, available = ensemble.member_scores(matrix)
        return _packed(
            Scores(
                asked=features.asked,
                scores=np.column_stack(scores).tolist(),
                available=np.column_stack(available).tolist(),
                unfamiliar=self._predictor.unfamiliar(matrix),
                reasons=self._reasons(matrix, features.reasons),
            )
        )

    def _reasons(self, matrix: Matrix, count: int) -> list[list[Reason]] | None:
        return self._predictor.explained(matrix, count) if count else None


class PostStep:
    """From log odds to explained, flagged answers."""

    def __init__(self, predictor: Predictor, model_version: str) -> None:
        self._predictor = predictor
        self._model_version = model_version
        self._members = [member.name for member in predictor.ensemble.members]

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        message = _unpacked(request, Scores)
        asked = MediaType(message.asked, {})
        wanted = media_types.of_answer(request.headers.get("accept", ""), asked)
        width = len(self._members)
        rows = zip(message.scores, message.available, message.unfamiliar, strict=False)
        predictions = [
            self._predictor.combined(scores, available, unfamiliar)
            for scores, available, unfamiliar in rows
            if len(scores) == len(available) == width
        ]
        if len(predictions) != len(message.scores):
            raise BadRequestError(f"A row has not the log odds of {width} members.")
        for prediction, reasons in zip(predictions, message.reasons or (), strict=False):
            prediction["reasons"] = reasons
        return answer_with(predictions, wanted, self._model_version, self._members)


def _packed(message: msgspec.Struct) -> Answer:
    return ok(msgspec.msgpack.encode(message), MESSAGE_PACK)


def _unpacked(request: Request, kind: type[Message]) -> Message:
    content_type = media_types.parse(request.headers.get("content-type", "")).name
    if content_type != MESSAGE_PACK:
        detail = f"This container comes after another, which sends {MESSAGE_PACK}."
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    try:
        return msgspec.msgpack.decode(request.body, type=kind)
    except msgspec.MsgspecError as error:
        raise BadRequestError(f"The body is not what the container before sends: {error}") from None
