"""Predictions on their way to the log: as the queue carries them."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

MAX_MESSAGE_CHARACTERS = 200_000
"""Of one message; the queue takes more, but Lambda hands over 6 MB of messages at a time."""
_LEVEL = 1
"""Of compression: what a caller waits for is worth more than the last bytes."""


class StoredPrediction(TypedDict):
    """A prediction as it is kept; instance and answer as JSON texts, exact to the digit."""

    prediction_id: str
    model_version: str
    instance: str
    answer: str
    created_at: str
    expires_at: int
    correlation_id: str
    entity_id: NotRequired[str]
    """The entity that it refers to."""
    awaiting_outcome: NotRequired[str]
    """Bucket of the outcome that it waits for."""
    outcome_label: NotRequired[int]
    outcome_known_at: NotRequired[str]


_REQUIRED = {
    "prediction_id", "model_version", "instance", "answer", "created_at", "expires_at",
    "correlation_id",
}  # fmt: skip


class BadMessageError(ValueError):
    """A message that does not hold predictions."""


def pack(predictions: Sequence[StoredPrediction]) -> Iterator[str]:
    """Write predictions as few messages."""
    text = json.dumps(predictions, separators=(",", ":"))
    message = base64.b64encode(zlib.compress(text.encode(), _LEVEL)).decode()
    if len(message) <= MAX_MESSAGE_CHARACTERS or len(predictions) == 1:
        yield message
        return
    middle = len(predictions) // 2
    yield from pack(predictions[:middle])
    yield from pack(predictions[middle:])


def unpack(message: str) -> list[StoredPrediction]:
    """Read a message; raises ``BadMessageError``."""
    try:
        document = json.loads(zlib.decompress(base64.b64decode(message, validate=True)))
    except (binascii.Error, zlib.error, ValueError) as error:
        raise BadMessageError(f"no message of predictions: {error}") from error
    if not isinstance(document, list) or not all(_is_prediction(each) for each in document):
        raise BadMessageError("no message of predictions: it holds something else")
    return document


def _is_prediction(document: Any) -> bool:
    return isinstance(document, Mapping) and document.keys() >= _REQUIRED
