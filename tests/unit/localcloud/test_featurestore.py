"""Feature Store's own rules: event times, what a record may be, which of two records stays."""

from __future__ import annotations

import datetime
import io
from concurrent.futures import ThreadPoolExecutor

import pyarrow.parquet as pq
import pytest

from localcloud.featurestore import online_store
from localcloud.featurestore.database import Database
from localcloud.featurestore.definition import OFFLINE, ONLINE, Definition, lifetime
from localcloud.featurestore.event_time import microseconds, spelled
from localcloud.featurestore.offline_file import Row, files
from localcloud.featurestore.record import check
from localcloud.registry import ServiceError
from localcloud.sagemaker.scope import Scope

DEFINITION = Definition(
    scope=Scope("000000000000", "us-east-1"),
    name="trips",
    key="trips/1",
    types={"id": "String", "at": "String", "count": "Integral", "share": "Fractional"},
    identifier="id",
    event_time="at",
    stores=frozenset({ONLINE, OFFLINE}),
    lifetime=None,
)
NEVER_SEEN = "2013-01-01T00:00:0{}Z"


def given(**values: str) -> list[dict[str, str]]:
    return [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]


def record(second: int, **values: str):
    return check(DEFINITION, given(id="a", at=NEVER_SEEN.format(second), **values))


@pytest.fixture
def database(tmp_path) -> Database:
    return Database(tmp_path / "records.sqlite")


def put(database: Database, each, lives: int | None = None) -> bool:
    with database.transaction() as rows:
        return online_store.put(rows, DEFINITION, each, lives)


def found(database: Database) -> dict[str, str] | None:
    with database.transaction() as rows:
        seen = online_store.find(rows, DEFINITION, "a")
    return dict(seen.values) if seen else None


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("1970-01-01T00:00:01Z", "String", 1_000_000),
        ("1970-01-01T00:00:01.250Z", "String", 1_250_000),
        ("1.5", "Fractional", 1_500_000),
        ("2", "Fractional", 2_000_000),
    ],
)
def test_event_times_are_read(value, kind, expected):
    assert microseconds(value, kind) == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2013-01-01", "String"),
        ("2013-01-01T00:00:00", "String"),
        ("2013-01-01T00:00:00+01:00", "String"),
        ("2013-01-01T00:00:00.25Z", "String"),
        ("2013-02-30T00:00:00Z", "String"),
        ("yesterday", "Fractional"),
        ("-1", "Fractional"),
        ("nan", "Fractional"),
    ],
)
def test_an_event_time_of_another_form_is_refused_with_its_value(value, kind):
    with pytest.raises(ServiceError, match=value.replace("+", r"\+")):
        microseconds(value, kind)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"more": "1"}, "Feature 'more' is not in feature group 'trips'; known are id, at"),
        ({"count": "1.5"}, "Value '1.5' of feature 'count' is not of type Integral"),
        ({"count": "9223372036854775808"}, "is not of type Integral"),
        ({"share": "half"}, "Value 'half' of feature 'share' is not of type Fractional"),
        ({"share": "inf"}, "is not of type Fractional"),
        ({"share": "1_0"}, "is not of type Fractional"),
    ],
)
def test_a_record_that_its_group_does_not_take_is_refused(values, said):
    with pytest.raises(ServiceError, match=said):
        record(1, **values)


def test_a_record_needs_its_identifier_and_its_event_time_and_nothing_else():
    assert record(1).identifier == "a"
    with pytest.raises(ServiceError, match="lacks its record identifier, feature 'id'"):
        check(DEFINITION, given(at=NEVER_SEEN.format(1)))
    with pytest.raises(ServiceError, match="lacks its event time, feature 'at'"):
        check(DEFINITION, given(id="a"))
    with pytest.raises(ServiceError, match="stands twice"):
        check(DEFINITION, [*given(id="a"), *given(id="b")])


def test_an_older_record_never_replaces_a_newer_one(database):
    assert put(database, record(2, count="2"))
    assert not put(database, record(1, count="1"))
    assert not put(database, record(2, count="3"))
    assert found(database)["count"] == "2"
    assert put(database, record(3, count="3"))
    assert found(database)["count"] == "3"


def test_a_record_is_replaced_whole(database):
    put(database, record(1, count="1", share="0.5"))
    put(database, record(2, count="2"))
    assert "share" not in found(database)


def test_a_soft_deletion_hides_a_record_and_keeps_older_ones_away(database):
    put(database, record(2))
    with database.transaction() as rows:
        assert not online_store.soft_delete(rows, DEFINITION, record(1))
    assert found(database)
    with database.transaction() as rows:
        assert online_store.soft_delete(rows, DEFINITION, record(4))
    assert found(database) is None
    assert not put(database, record(3))
    assert found(database) is None
    assert put(database, record(5))
    assert found(database)


def test_a_hard_deletion_leaves_no_trace_of_a_record(database):
    put(database, record(2))
    with database.transaction() as rows:
        assert not online_store.hard_delete(rows, DEFINITION, record(2))
        assert online_store.hard_delete(rows, DEFINITION, record(3))
    assert found(database) is None
    assert put(database, record(1))


def test_a_record_ends_with_its_lifetime_after_its_event_time(database):
    days = lifetime({"Unit": "Days", "Value": 1})
    put(database, record(9), days)  # an event of 2013 has ended
    assert found(database) is None
    assert put(database, record(1))
    weeks = lifetime({"Unit": "Weeks", "Value": 5000})
    put(database, record(2), weeks)
    assert found(database)
    with database.transaction() as rows:
        seen = online_store.find(rows, DEFINITION, "a")
        assert spelled(seen.expires_at) == "2108-10-30T00:00:02Z"


def test_in_whatever_order_threads_put_records_the_newest_stays(database):
    seconds = [number * 7 % 10 for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda second: put(database, record(second, count=str(second))), seconds))
    assert found(database)["count"] == "9"


def test_what_was_written_is_there_after_a_restart(database, tmp_path):
    put(database, record(1, count="1"))
    assert found(Database(tmp_path / "records.sqlite"))["count"] == "1"


def test_what_fails_within_a_transaction_was_never_written(database):
    with pytest.raises(RuntimeError), database.transaction() as rows:
        online_store.put(rows, DEFINITION, record(1), None)
        raise RuntimeError
    assert found(database) is None


def test_identifiers_are_listed_in_order_with_the_deleted_ones_if_asked(database):
    with database.transaction() as rows:
        for name in "cab":
            each = check(DEFINITION, given(id=name, at=NEVER_SEEN.format(1)))
            online_store.put(rows, DEFINITION, each, None)
        later = check(DEFINITION, given(id="b", at=NEVER_SEEN.format(2)))
        online_store.soft_delete(rows, DEFINITION, later)
        assert online_store.identifiers(rows, DEFINITION, "", 9, deleted=False) == ["a", "c"]
        assert online_store.identifiers(rows, DEFINITION, "a", 1, deleted=True) == ["b"]


def test_offline_files_are_one_an_event_hour_with_the_columns_that_the_store_adds():
    hours = [("2013-01-01T05:59:59Z", False), ("2013-01-01T06:00:00Z", True)]
    rows = [
        Row(microseconds(at, "String"), {"id": "a", "at": at, "count": "7"}, 1.5, is_deleted=gone)
        for at, gone in hours
    ]
    written = dict(files(DEFINITION.types, rows, written_at=2.0))
    folders = sorted(path.rsplit("/", 1)[0] for path in written)
    assert folders == [f"year=2013/month=01/day=01/hour=0{hour}" for hour in (5, 6)]
    last = next(path for path in written if "hour=06" in path)
    assert last.rsplit("/", 1)[1].startswith("20130101T060000Z_")
    (row,) = pq.read_table(io.BytesIO(written[last]), partitioning=None).to_pylist()
    epoch = datetime.datetime.fromtimestamp(0, datetime.UTC)
    assert row == {
        "id": "a",
        "at": "2013-01-01T06:00:00Z",
        "count": 7,
        "share": None,
        "write_time": epoch + datetime.timedelta(seconds=2),
        "api_invocation_time": epoch + datetime.timedelta(seconds=1.5),
        "is_deleted": True,
    }
