"""Trying to leak: what nobody can know at a cutoff changes no input that is decided at it.

POINT_IN_TIME=year scrambles the whole year for each cutoff; else slices around cutoffs that lie so
far apart that none can reach another's.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.integration.data_pipeline.point_in_time import (
    USE_CASE,
    build,
    read_year,
    scrambled,
)
from tests.integration.data_pipeline.runs import Rows
from use_cases.flight_delays.trailing import AIRCRAFT_DAYS

WHOLE_YEAR = os.environ.get("POINT_IN_TIME") == "year"
YEAR_CUTOFFS = ((2, 8, 15), (3, 8, 20), (6, 13, 19), (7, 10, 22), (11, 27, 12), (12, 9, 18))
SLICE_CUTOFFS = ((2, 8, 15), (4, 5, 20), (5, 30, 19), (7, 24, 22), (9, 18, 12), (11, 12, 18))
CUTOFFS = [
    datetime(2013, month, day, hour, tzinfo=UTC)
    for month, day, hour in (YEAR_CUTOFFS if WHOLE_YEAR else SLICE_CUTOFFS)
]
BEFORE, AFTER = timedelta(days=4), timedelta(days=1)
CHANGED_LATER = ("origin_4h_delay_sum", "temperature_f", "tail_minutes_since_previous")


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> dict[str, Rows]:
    """Records of the whole year, or of the days around each cutoff."""
    rows = read_year(tmp_path_factory.mktemp("year"))
    if WHOLE_YEAR:
        return rows
    for name in ("flights", "weather"):
        header, *body = rows[name]
        hour = header.index("time_hour")
        rows[name] = [header, *(row for row in body if _near(datetime.fromisoformat(row[hour])))]
    return rows


def _near(time: datetime) -> bool:
    return any(cutoff - BEFORE <= time <= cutoff + AFTER for cutoff in CUTOFFS)


@pytest.fixture(scope="module")
def before(spark, sources, tmp_path_factory):
    """Inputs of the sources as they are."""
    return build(spark, sources, tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def after(spark, sources, before, tmp_path_factory):
    """Inputs by cutoff, once all that it cannot see is scrambled."""
    blocks = before["block_minutes"].to_dict()
    groups = [[cutoff] for cutoff in CUTOFFS] if WHOLE_YEAR else [CUTOFFS]
    found = {}
    for group in groups:
        changed = scrambled(sources, blocks, group)
        frame = build(spark, changed, tmp_path_factory.mktemp("after"))
        found |= dict.fromkeys(group, frame)
    return found


def test_slices_cannot_reach_each_other():
    apart = [later - earlier for earlier, later in pairwise(CUTOFFS)]

    assert WHOLE_YEAR or min(apart) - AFTER - BEFORE > timedelta(days=-AIRCRAFT_DAYS[0])


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("cutoff", CUTOFFS, ids=str)
def test_what_is_not_known_at_the_cutoff_changes_no_input(before, after, cutoff):
    own, other = (frame[frame.event_time == cutoff] for frame in (before, after[cutoff]))

    assert len(own) > 30
    assert own.index.equals(other.index)
    inputs = [field.name for field in USE_CASE.input_fields]
    assert [name for name in inputs if not own[name].equals(other[name])] == []


@pytest.mark.parametrize("cutoff", CUTOFFS, ids=str)
def test_it_does_change_what_is_decided_later(before, after, cutoff):
    until = cutoff + AFTER
    own, other = (
        frame[(frame.event_time > cutoff) & (frame.event_time < until)]
        for frame in (before, after[cutoff])
    )

    for name in CHANGED_LATER:
        different = (own[name] != other[name]) & ~(own[name].isna() & other[name].isna())
        assert different.mean() > 0.3, name
