"""The prediction log loses nothing: what a store does not take comes again."""

from __future__ import annotations

import gzip
import json
import os

import pytest
from botocore.exceptions import ClientError

from lambdas.inference.contract import PREDICTION_COLUMNS
from lambdas.inference.log_predictions.adapters import DynamoPredictionTable
from lambdas.inference.log_predictions.logic import (
    LONGEST_PAUSE_SECONDS,
    Message,
    StoreBusyError,
    Stores,
    log_messages,
    pause_after,
)
from lambdas.inference.prediction_messages import (
    MAX_MESSAGE_CHARACTERS,
    BadMessageError,
    pack,
    unpack,
)


def prediction(number: int, day: str = "2026-01-01", **more) -> dict:
    return {
        "prediction_id": f"p{number}",
        "model_version": "1",
        "instance": json.dumps({"identity": {"shop": f"north {number}"}}),
        "answer": json.dumps({"probability": 0.25, "missing_sources": ["sensor", "web"]}),
        "created_at": f"{day}T00:00:00.000Z",
        "expires_at": 5,
        "correlation_id": "c",
        **more,
    }


def message(name: str, *predictions: dict, receives: int = 1) -> Message:
    (body,) = pack(predictions)
    return Message(name, f"receipt of {name}", receives, body)


class FakeTable:
    def __init__(self, *, takes: int = 1000) -> None:
        self.items: dict[str, dict] = {}
        self.takes = takes
        self.asked = 0

    def add(self, predictions) -> None:
        self._ask()
        self.items.update({each["prediction_id"]: each for each in predictions})

    def add_missing(self, predictions) -> None:
        self._ask()
        for each in predictions:
            self.items.setdefault(each["prediction_id"], each)

    def _ask(self) -> None:
        self.asked += 1
        if self.asked > self.takes:
            raise StoreBusyError("the table says ThrottlingException")


class FakeRows:
    def __init__(self, *, busy: bool = False) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self.busy = busy

    def write(self, day, name, rows) -> None:
        if self.busy:
            raise StoreBusyError("the bucket says SlowDown")
        self.files[day, name] = rows

    def lines(self) -> list[dict]:
        texts = [gzip.decompress(rows).decode() for rows in self.files.values()]
        return [json.loads(line) for text in texts for line in text.splitlines()]


class FakeQueue:
    def __init__(self) -> None:
        self.pauses: dict[str, int] = {}

    def retry(self, message, seconds) -> None:
        self.pauses[message.message_id] = seconds


def stores(table=None, rows=None) -> Stores:
    return Stores(table or FakeTable(), rows or FakeRows(), FakeQueue())


def forever() -> float:
    return 60.0


def test_every_prediction_is_found_by_id_and_stands_in_its_day_s_file():
    to = stores()
    late = prediction(3, day="2026-01-02", entity_id="e3", awaiting_outcome="ab")

    failures = log_messages(
        [message("a", prediction(1), prediction(2)), message("b", late)], to, forever
    )

    assert failures == []
    assert set(to.table.items) == {"p1", "p2", "p3"}
    assert to.table.items["p3"] == late
    assert {day for day, _ in to.rows.files} == {"2026-01-01", "2026-01-02"}
    rows = {row["prediction_id"]: row for row in to.rows.lines()}
    assert rows["p3"]["entity_id"] == "e3"
    assert rows["p1"]["entity_id"] is None
    assert rows["p1"]["probability"] == 0.25
    assert rows["p1"]["missing_sources"] == "sensor,web"
    assert set(rows["p1"]) == set(PREDICTION_COLUMNS)


def test_what_a_busy_table_does_not_take_comes_again_and_nothing_else():
    to = stores(FakeTable(takes=1))

    failures = log_messages([message(n, prediction(i)) for i, n in enumerate("abc")], to, forever)

    assert [failure.message.message_id for failure in failures] == ["b", "c"]
    assert to.table.asked == 2, "a table that is busy is not asked on and on"
    assert set(to.queue.pauses) == {"b", "c"}
    assert [row["prediction_id"] for row in to.rows.lines()] == ["p0"]


def test_without_files_all_messages_come_again():
    to = stores(rows=FakeRows(busy=True))

    failures = log_messages([message("a", prediction(1)), message("b", prediction(2))], to, forever)

    assert {failure.message.message_id for failure in failures} == {"a", "b"}
    assert all("SlowDown" in failure.reason for failure in failures)


def test_a_message_that_comes_again_leaves_the_outcome_that_came_meanwhile():
    to = stores()
    to.table.items["p1"] = prediction(1, outcome_label=1)

    log_messages([message("a", prediction(1), prediction(2), receives=2)], to, forever)

    assert to.table.items["p1"]["outcome_label"] == 1
    assert "p2" in to.table.items


def test_the_same_messages_again_make_the_same_file():
    first, again = stores(), stores()
    messages = [message("a", prediction(1)), message("b", prediction(2))]

    log_messages(messages, first, forever)
    log_messages([each._replace(receives=2) for each in messages], again, forever)

    assert first.rows.files == again.rows.files


def test_messages_that_the_function_has_no_time_for_come_again():
    times = iter([5.0, 0.0])
    to = stores()

    failures = log_messages(
        [message(n, prediction(i)) for i, n in enumerate("abc")], to, lambda: next(times)
    )

    assert [failure.message.message_id for failure in failures] == ["b", "c"]
    assert to.table.asked == 1


@pytest.mark.parametrize("body", ["", "no base64!", "aGVsbG8=", next(pack([]))[:-4]])
def test_a_message_that_holds_no_predictions_stops_no_other(body):
    to = stores()

    failures = log_messages(
        [Message("bad", "r", 1, body), message("good", prediction(1))], to, forever
    )

    assert [failure.message.message_id for failure in failures] == ["bad"]
    assert set(to.table.items) == {"p1"}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ProvisionedThroughputExceededException", StoreBusyError),
        ("AccessDeniedException", StoreBusyError),
        ("ValidationException", BadMessageError),
    ],
)
def test_what_a_table_will_never_take_holds_up_nobody_else(code, kind):
    class RefusingTable:
        def batch_write_item(self, **_request):
            raise ClientError({"Error": {"Code": code}}, "BatchWriteItem")

        put_item = batch_write_item

    table = DynamoPredictionTable(RefusingTable(), "predictions")

    with pytest.raises(kind):
        table.add([prediction(1)])
    with pytest.raises(kind):
        table.add_missing([prediction(1)])


def test_pauses_grow_to_a_limit():
    pauses = [pause_after(receives) for receives in range(1, 20)]

    assert pauses == sorted(pauses)
    assert pauses[0] == 2
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize("count", [1, 500])
def test_a_message_gives_back_what_it_was_made_of(count):
    made = [prediction(number, instance="é" * 4000) for number in range(count)]

    messages = list(pack(made))

    assert [each for text in messages for each in unpack(text)] == made
    assert all(len(text) <= MAX_MESSAGE_CHARACTERS for text in messages)


def test_what_does_not_compress_goes_in_several_messages():
    made = [prediction(number, instance=os.urandom(4000).hex()) for number in range(100)]

    messages = list(pack(made))

    assert len(messages) > 1
    assert all(len(text) <= MAX_MESSAGE_CHARACTERS for text in messages)
    assert [each for text in messages for each in unpack(text)] == made


def test_something_else_is_no_message_of_predictions():
    (other,) = pack([{"a": 1}])

    with pytest.raises(BadMessageError):
        unpack(other)
