"""Snapshots of real departures: what each input says, counted by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from zoneinfo import ZoneInfo

import pytest

from tests.integration.data_pipeline.point_in_time import USE_CASE, build, minutes


@pytest.fixture(scope="module")
def snapshots(spark, raw, tmp_path_factory):
    return build(spark, raw, tmp_path_factory.mktemp("snapshots"))


def test_the_state_of_an_origin_counted_one_by_one(snapshots, raw):
    header, *rows = raw["flights"]
    flights = [dict(zip(header, row, strict=True)) for row in rows]
    for entity in snapshots.index[1500:7500:300]:
        expected = _state_by_hand(flights, entity, snapshots.loc[entity, "origin"])
        found = {name: snapshots.loc[entity, name] for name in expected}
        assert found == expected, entity


def _state_by_hand(flights: list[dict[str, str]], entity: str, origin: str) -> dict[str, int]:
    cutoff = datetime.fromisoformat(entity[:20]) - timedelta(hours=2)
    seen = [f for f in flights if f["origin"] == origin]
    seen = [
        f for f in seen
        if cutoff - timedelta(hours=12) <= datetime.fromisoformat(f["time_hour"]) < cutoff
    ]  # fmt: skip
    so_far, cancelled = [], 0
    for flight in seen:
        since = int((cutoff - minutes(flight)).total_seconds() // 60)
        if flight["dep_delay"] != "NA":
            so_far.append(min(max(min(int(flight["dep_delay"]), since), -15), 240))
        elif since >= 360:
            cancelled += 1
        else:
            so_far.append(min(since, 240))
    return {
        "origin_12h_flights": len(seen),
        "origin_12h_cancelled": cancelled,
        "origin_12h_late": sum(delay >= 15 for delay in so_far),
        "origin_12h_delay_sum": sum(so_far),
    }


def test_trailing_rates_end_two_days_before(snapshots, raw):
    header, *rows = raw["flights"]
    flights = [dict(zip(header, row, strict=True)) for row in rows]
    row = snapshots.loc["2013-11-05T19:00:00Z/B6/" + _number(snapshots)]
    late = [
        f["arr_delay"] == "NA" or int(f["arr_delay"]) >= 15
        for f in flights
        if (int(f["month"]), int(f["day"])) <= (11, 3)
    ]

    assert row["flights_28d_nyc"] == len(late)
    assert row["late_28d_nyc"] == sum(late)


def _number(frame) -> str:
    prefix = "2013-11-05T19:00:00Z/B6/"
    return next(e.removeprefix(prefix) for e in frame.index if e.startswith(prefix))


def test_block_time_takes_time_zones_and_the_change_of_clocks_out(snapshots, raw):
    header, *rows = raw["flights"]
    zones = {row[0]: row[-1] for row in raw["airports"][1:]}
    for row in rows[:: len(rows) // 60]:
        flight = dict(zip(header, row, strict=True))
        zone = ZoneInfo(zones.get(flight["dest"], "America/Puerto_Rico"))
        start = minutes(flight)
        arrival = int(flight["sched_arr_time"])
        local = start.astimezone(zone)
        arrived = (arrival // 100) * 60 + arrival % 100
        block = (arrived - local.hour * 60 - local.minute) % 1440
        entity = f"{flight['time_hour']}/{flight['carrier']}/{flight['flight']}"
        assert snapshots.loc[entity, "block_minutes"] == block, entity


def test_a_cutoff_sees_the_observation_labelled_an_hour_before(snapshots, raw):
    header, *rows = raw["weather"]
    observed = {
        (r["origin"], r["time_hour"]): r["temp"]
        for r in (dict(zip(header, row, strict=True)) for row in rows)
    }
    for entity in snapshots.index[100:7500:250]:
        hour = datetime.fromisoformat(entity[:20]) - timedelta(hours=3)
        raw_value = observed.get((snapshots.loc[entity, "origin"], f"{hour:%Y-%m-%dT%H:%M:%SZ}"))
        if raw_value not in (None, "NA"):
            assert snapshots.loc[entity, "temperature_f"] == float(raw_value), entity


def test_a_lost_tail_number_says_nothing_of_its_own_departure(snapshots, raw):
    """Null tails are cancellations' alone; no aircraft input may tell one from the other."""
    header, *rows = raw["flights"]
    tailless = [dict(zip(header, row, strict=True)) for row in rows]
    tailless = [r for r in tailless if r["tailnum"] == "NA"]
    entities = [f"{r['time_hour']}/{r['carrier']}/{r['flight']}" for r in tailless]
    late = snapshots.loc[[e for e in entities if e >= "2013-10-31"]]

    assert len(late) > 5
    assert late["aircraft_seats"].notna().mean() > 0.4


def test_identity_inputs_are_unique_and_complete(snapshots):
    assert snapshots.index.is_unique
    required = [f.name for f in USE_CASE.input_fields if not f.nullable]
    incomplete = reduce(lambda a, b: a | b, (snapshots[n].isna() for n in required))
    assert incomplete.sum() == 0
