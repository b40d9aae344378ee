"""Inputs as rows and records of the feature store: equal to the last bit, written once."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_code.data_pipeline.offline_rows import group_rows, offline_files
from pipeline_code.data_pipeline.online_records import FeatureStoreError, entries, write
from pipeline_code.data_pipeline.staged_inputs import StagedInputs, read_inputs
from pipeline_code.data_pipeline.storage import storage_of
from pipeline_code.use_case import load_use_case
from tests.fixtures import tiny_dataset

NOON = datetime(2020, 6, 1, 12, tzinfo=UTC)
AWKWARD = (0.1 + 0.2, 5e-324, -0.0, 1e22, 2.0**53 + 2, math.pi)


@pytest.fixture(scope="module")
def use_case():
    tiny_dataset.install()
    return load_use_case("tiny")


def inputs(levels, *, months=None, visitors=None):
    count = len(levels)
    times = [datetime(2020, month, 1, tzinfo=UTC) for month in months or [6] * count]
    return pa.table(
        {
            "entity_id": [f"e{number}" for number in range(count)],
            "event_time": pa.array(times, type=pa.timestamp("us", tz="UTC")),
            "shop": ["north"] * count,
            "opened": ["2020-06-01T08:00"] * count,
            "visitors": visitors or list(range(count)),
            "level": pa.array(levels, type=pa.float64()),
            "grade": pa.array([None] * count, type=pa.string()),
        }
    )


def files(table, use_case, at=NOON):
    return list(offline_files(table, use_case, "fourblocks-test-tiny", at))


def record(entry):
    return {value["FeatureName"]: value["ValueAsString"] for value in entry["Record"]}


def test_a_number_reads_back_from_its_record_to_the_last_bit(use_case):
    table = inputs(AWKWARD)
    made = list(entries(group_rows(table, use_case, "sensor"), "sensor-v1"))
    read = np.array([float(record(entry)["level"]) for entry in made])
    assert read.tobytes() == np.array(AWKWARD).tobytes()


def test_a_record_is_spelled_as_feature_store_reads_it(use_case):
    (entry,) = entries(group_rows(inputs([None]), use_case, "identity"), "identity-v1")
    assert entry["FeatureGroupName"] == "identity-v1"
    assert entry["TargetStores"] == ["OnlineStore"]
    assert record(entry) == {
        "entity_id": "e0",
        "event_time": "2020-06-01T00:00:00Z",
        "shop": "north",
        "opened": "2020-06-01T08:00",
        "visitors": "0",
    }


def test_a_missing_source_makes_no_record_and_a_missing_value_no_feature(use_case):
    made = list(entries(group_rows(inputs([1.0, None]), use_case, "sensor"), "sensor-v1"))
    assert [record(entry)["entity_id"] for entry in made] == ["e0"]
    assert "grade" not in record(made[0])


def test_each_group_has_a_file_a_month_of_event_time(use_case):
    made = files(inputs([1.0, None, 3.0], months=[5, 5, 6]), use_case)
    folders = {file.key.rsplit("/", 1)[0]: file.rows for file in made}
    assert folders == {
        "features/fourblocks-test-tiny-identity-v1/year=2020/month=05": 2,
        "features/fourblocks-test-tiny-identity-v1/year=2020/month=06": 1,
        "features/fourblocks-test-tiny-sensor-v1/year=2020/month=05": 1,
        "features/fourblocks-test-tiny-sensor-v1/year=2020/month=06": 1,
    }


def test_a_file_holds_the_inputs_and_the_columns_that_a_query_as_of_a_time_needs(use_case):
    sensor = files(inputs([AWKWARD[0]]), use_case)[1]
    (row,) = pq.read_table(io.BytesIO(sensor.content), partitioning=None).to_pylist()
    assert row == {
        "entity_id": "e0",
        "event_time": "2020-06-01T00:00:00Z",
        "level": AWKWARD[0],
        "grade": None,
        "write_time": NOON,
        "api_invocation_time": NOON,
        "is_deleted": False,
    }


@pytest.mark.parametrize(
    "changed",
    [
        inputs([1.0, 2.5]),
        inputs([1.0, None]),
        inputs([1.0, 2.0], visitors=[0, 7]),
        inputs([1.0, 2.0], months=[5, 6]),
    ],
)
def test_the_same_rows_have_the_same_name_whenever_they_are_written_and_others_have_not(
    use_case, changed
):
    before = files(inputs([1.0, 2.0]), use_case)
    later = datetime(2021, 1, 1, tzinfo=UTC)
    assert {f.key for f in files(inputs([1.0, 2.0]), use_case, later)} == {f.key for f in before}
    assert {f.key for f in files(changed, use_case)} != {f.key for f in before}


def test_a_row_with_a_zero_is_not_one_without_a_value(use_case):
    assert files(inputs([0.0, 1.0]), use_case)[1].key != files(inputs([None, 1.0]), use_case)[1].key


def test_what_a_run_sets_aside_is_read_with_the_types_of_the_contract(use_case, tmp_path):
    snapshots = inputs([1.5, math.nan], visitors=[3.0, 4.0])
    staged = StagedInputs(use_case, f"file://{tmp_path}/", "split=test/period=2020-06")
    for batch in snapshots.to_batches():
        staged.add(batch)
    staged.close()
    uri = f"file://{tmp_path}/split=test/period=2020-06/inputs.parquet"
    read = read_inputs(storage_of(uri), uri)
    assert read.column("visitors").to_pylist() == [3, 4]
    assert read.column("level").to_pylist() == [1.5, None]
    assert read.column("event_time").to_pylist()[0] == datetime(2020, 6, 1, tzinfo=UTC)


class FakeStore:
    """Answers writes as it is told, else as Feature Store does; remembers what it was given."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.given = []
        self.records = {}

    def batch_get_record(self, *, Identifiers):  # noqa: N803
        (asked,) = Identifiers
        ids = asked["RecordIdentifiersValueAsString"]
        assert len(ids) <= 100
        found = [
            {
                "RecordIdentifierValueAsString": each,
                "Record": [
                    {"FeatureName": name, "ValueAsString": value}
                    for name, value in self.records[each].items()
                ],
            }
            for each in ids
            if each in self.records
        ]
        return {"Records": found, "Errors": [], "UnprocessedIdentifiers": []}

    def batch_write_record(self, *, Entries):  # noqa: N803
        self.given.append([entry["Record"][0]["ValueAsString"] for entry in Entries])
        answer = self.answers.pop(0) if self.answers else None
        if answer:
            return answer(Entries)
        for values in map(record, Entries):
            known = self.records.get(values["entity_id"], {"event_time": ""})
            if values["event_time"].rstrip("Z") > known["event_time"].rstrip("Z"):
                self.records[values["entity_id"]] = values
        return {"Errors": [], "UnprocessedEntries": []}


def unprocessed(given):
    return {"Errors": [], "UnprocessedEntries": given[1:]}


def nothing_processed(given):
    return {"Errors": [], "UnprocessedEntries": given}


def refused(code):
    def answer(given):
        error = {"Entry": given[0], "ErrorCode": code, "ErrorMessage": "because"}
        return {"Errors": [error], "UnprocessedEntries": []}

    return answer


def written(store, count, pauses=None, level=1.0):
    given = entries(inputs([level] * count), "g")
    return write(
        store, given, pause=(pauses if pauses is not None else []).append, jitter=lambda: 1
    )


def test_what_the_store_says_already_is_not_written_again():
    store = FakeStore()
    assert written(store, 130) == 130
    assert written(store, 131) == 1
    assert store.given[-1] == ["e130"]


def test_a_correction_of_the_same_event_is_told_a_millisecond_later_each_time():
    store = FakeStore()
    for level, expected in ((1.0, ""), (2.0, ".001"), (1.0, ".002")):
        assert written(store, 1, level=level) == 1
        assert store.records["e0"]["level"] == str(level)
        assert store.records["e0"]["event_time"] == f"2020-06-01T00:00:00{expected}Z"
    assert written(store, 1, level=1.0) == 0


def test_an_input_that_a_correction_takes_away_is_gone():
    store = FakeStore()
    written(store, 1)
    written(store, 1, level=None)
    assert "level" not in store.records["e0"]


def test_records_are_written_in_batches_of_what_the_service_takes():
    store = FakeStore()
    assert written(store, 60) == 60
    assert [len(batch) for batch in store.given] == [25, 25, 10]


def test_what_was_not_processed_or_throttled_is_written_again_after_longer_and_longer_pauses():
    store, pauses = FakeStore(unprocessed, refused("ThrottlingException")), []
    assert written(store, 3, pauses) == 3
    assert store.given == [["e0", "e1", "e2"], ["e1", "e2"], ["e1"]]
    assert pauses == [0.2, 0.4]


def test_a_record_that_is_refused_is_named_with_its_reason():
    with pytest.raises(
        FeatureStoreError, match="group g: ValidationError for record 'e0': because"
    ):
        written(FakeStore(refused("ValidationError")), 2)


def test_a_store_that_never_takes_a_record_is_given_up():
    store = FakeStore(*[nothing_processed] * 8)
    with pytest.raises(
        FeatureStoreError, match="could not write 2 records of g: still unprocessed after 8"
    ):
        written(store, 2)
