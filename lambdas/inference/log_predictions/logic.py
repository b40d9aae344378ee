"""Decides what becomes of each message: kept, or tried again later. Nothing is dropped."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from lambdas.inference.prediction_messages import BadMessageError, StoredPrediction, unpack

FIRST_PAUSE_SECONDS = 2
LONGEST_PAUSE_SECONDS = 900


class StoreBusyError(Exception):
    """A store of the log takes nothing now."""


class Message(NamedTuple):
    """A message as the queue brings it; ``receives`` counts this time."""

    message_id: str
    receipt: str
    receives: int
    body: str


class PredictionTable(Protocol):
    """Predictions by id. Both raise ``StoreBusyError``."""

    def add(self, predictions: Sequence[StoredPrediction]) -> None:
        """Keep predictions that are new."""

    def add_missing(self, predictions: Sequence[StoredPrediction]) -> None:
        """Keep those that are not there; one that is may have got its outcome meanwhile."""


class PredictionRows(Protocol):
    """Predictions for analytics."""

    def write(self, day: str, name: str, rows: bytes) -> None:
        """Keep a file of a day; raises ``StoreBusyError``."""


class Waiting(Protocol):
    """The queue."""

    def retry(self, message: Message, seconds: int) -> None:
        """Bring a message again after some seconds."""


class Stores(NamedTuple):
    """Where predictions go, and where they come from."""

    table: PredictionTable
    rows: PredictionRows
    queue: Waiting


class Failure(NamedTuple):
    """A message that comes again, and why."""

    message: Message
    reason: str


def log_messages(
    messages: Sequence[Message], stores: Stores, seconds_left: Callable[[], float]
) -> list[Failure]:
    """Keep what the messages hold; give those that must come again.

    When a store is busy the rest waits too: asking it on and on would keep it busy.
    """
    failures: list[Failure] = []
    kept: list[Message] = []
    predictions: list[StoredPrediction] = []
    busy = ""
    for message in messages:
        busy = busy or _out_of_time(seconds_left())
        try:
            predictions += _kept(message, stores.table, busy)
            kept.append(message)
        except StoreBusyError as error:
            busy = str(error)
            failures.append(Failure(message, busy))
        except BadMessageError as error:
            failures.append(Failure(message, str(error)))
    failures += _write_rows(kept, predictions, stores.rows)
    for failure in failures:
        stores.queue.retry(failure.message, pause_after(failure.message.receives))
    return failures


def _kept(message: Message, table: PredictionTable, busy: str) -> list[StoredPrediction]:
    if busy:
        raise StoreBusyError(busy)
    held = unpack(message.body)
    if message.receives == 1:
        table.add(held)
    else:
        table.add_missing(held)
    return held


def pause_after(receives: int) -> int:
    """Wait longer each time; what one message finds, its neighbours find at other moments."""
    return int(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(receives - 1, 10)))


def _out_of_time(seconds: float) -> str:
    return "the function's time is nearly over" if seconds <= 0 else ""


def _write_rows(
    kept: Sequence[Message], predictions: Sequence[StoredPrediction], rows: PredictionRows
) -> list[Failure]:
    days: dict[str, list[StoredPrediction]] = {}
    for prediction in predictions:
        days.setdefault(prediction["created_at"][:10], []).append(prediction)
    try:
        for day, held in days.items():
            rows.write(day, _name(held), _lines(held))
    except StoreBusyError as error:
        return [Failure(message, str(error)) for message in kept]
    return []


def _name(held: Sequence[StoredPrediction]) -> str:
    """Name a file by what it holds: the same messages again make the same file."""
    ids = "\n".join(sorted(each["prediction_id"] for each in held))
    return hashlib.sha256(ids.encode()).hexdigest()[:32]


def _lines(held: Sequence[StoredPrediction]) -> bytes:
    lines = (json.dumps(_row(each)) for each in held)
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)


def _row(prediction: StoredPrediction) -> dict[str, object]:
    answer = json.loads(prediction["answer"])
    return {
        "prediction_id": prediction["prediction_id"],
        "created_at": prediction["created_at"],
        "model_version": prediction["model_version"],
        "entity_id": prediction.get("entity_id"),
        "probability": answer["probability"],
        "missing_sources": ",".join(answer["missing_sources"]),
        "correlation_id": prediction["correlation_id"],
        "instance": prediction["instance"],
        "answer": prediction["answer"],
    }
