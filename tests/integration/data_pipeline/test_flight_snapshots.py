"""Point in time: what cannot be seen at a cutoff changes nothing that is decided at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from pipeline_code.data_pipeline.records import SPARK_TYPES
from pipeline_code.data_pipeline.transform_job import start_session
from pipeline_code.use_case import load_use_case
from tests.integration.data_pipeline.runs import Rows

USE_CASE = load_use_case("flight_delays")
CUTOFF = datetime(2013, 11, 5, 19, tzinfo=UTC)
OUTCOMES = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")


def build(spark, raw: dict[str, Rows], folder):
    """Snapshots of raw rows as a frame, by entity."""
    start_session()
    sources = {}
    for name, contract in USE_CASE.sources.items():
        header, *body = raw[name]
        columns = zip(*([None if v == "NA" else v for v in row] for row in body), strict=True)
        file = folder / f"{name}.parquet"
        pq.write_table(pa.table(dict(zip(header, map(list, columns), strict=True))), file)
        typed = [F.col(c.name).cast(SPARK_TYPES[c.type]).alias(c.name) for c in contract.columns]
        sources[name] = spark.read.parquet(str(file)).select(*typed)
    snapshots = USE_CASE.snapshots().build_snapshots(sources, DataFrame.persist)
    snapshots.write.parquet(f"{folder}/snapshots")
    spark.catalog.clearCache()
    frame = pq.read_table(f"{folder}/snapshots").to_pandas().set_index("entity_id").sort_index()
    return frame.assign(event_time=frame.event_time.dt.tz_localize("UTC"))


def minutes(row: dict[str, str]) -> datetime:
    """Scheduled departure, UTC."""
    hour = datetime.fromisoformat(row["time_hour"])
    return hour + timedelta(minutes=int(row["minute"]))


def scrambled(raw: dict[str, Rows], blocks: dict[str, int]) -> dict[str, Rows]:
    """Change every fact that nobody can know at CUTOFF: delays, cancellations, weather, tails."""
    rng = np.random.default_rng(5)
    header, *rows = raw["flights"]
    tails = [row[header.index("tailnum")] for row in rows]
    changed = [_scramble(dict(zip(header, row, strict=True)), blocks, tails, rng) for row in rows]
    weather_header, *weather = raw["weather"]
    time = weather_header.index("time_hour")
    numbers = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")
    places = [weather_header.index(name) for name in numbers]
    for number, row in enumerate(weather):
        if datetime.fromisoformat(row[time]) >= CUTOFF:
            noise = {place: str(rng.uniform(1, 50)) for place in places}
            weather[number] = [noise.get(place, value) for place, value in enumerate(row)]
    return {
        **raw,
        "flights": [header, *([row[name] for name in header] for row in changed)],
        "weather": [weather_header, *weather],
    }


def _scramble(row: dict[str, str], blocks: dict[str, int], tails: list[str], rng) -> dict[str, str]:
    since = (CUTOFF - minutes(row)).total_seconds() / 60
    block = blocks[f"{row['time_hour']}/{row['carrier']}/{row['flight']}"]
    noise = int(rng.integers(1, 300))
    unseen_arrival = str(max(int(since) - block, -40) + noise)
    if _departure_unknown(row, since):
        row |= {"dep_time": "1", "dep_delay": str(max(int(since), -40) + noise)}
        row["arr_delay"] = unseen_arrival
        if since < 360 and rng.random() < 0.1:
            row |= dict.fromkeys(OUTCOMES, "NA")
    elif row["arr_delay"] != "NA" and block + int(row["arr_delay"]) > since:
        row["arr_delay"] = unseen_arrival
    if datetime.fromisoformat(row["time_hour"]) - timedelta(hours=2) > CUTOFF:
        row["tailnum"] = str(rng.choice(tails))
    return row


def _departure_unknown(row: dict[str, str], since: float) -> bool:
    if row["dep_delay"] == "NA":
        return since < 360
    return int(row["dep_delay"]) > since


@pytest.fixture(scope="module")
def frames(spark, raw, tmp_path_factory):
    first = build(spark, raw, tmp_path_factory.mktemp("first"))
    changed = scrambled(raw, first["block_minutes"].to_dict())
    return first, build(spark, changed, tmp_path_factory.mktemp("second"))


def test_what_is_not_known_at_the_cutoff_changes_no_input(frames):
    before, after = (f[f.event_time == CUTOFF] for f in frames)

    assert len(before) > 30
    inputs = [field.name for field in USE_CASE.input_fields]
    changed = [n for n in inputs if not before[n].equals(after[n])]
    assert changed == []


def test_it_does_change_what_is_decided_later(frames):
    before, after = (f[f.event_time > CUTOFF] for f in frames)

    for name in ("origin_4h_delay_sum", "temperature_f", "tail_minutes_since_previous"):
        different = (before[name] != after[name]) & ~(before[name].isna() & after[name].isna())
        assert different.mean() > 0.3, name


def test_the_state_of_an_origin_counted_one_by_one(frames, raw):
    header, *rows = raw["flights"]
    flights = [dict(zip(header, row, strict=True)) for row in rows]
    snapshots = frames[0]
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


def test_trailing_rates_end_two_days_before(frames, raw):
    header, *rows = raw["flights"]
    flights = [dict(zip(header, row, strict=True)) for row in rows]
    row = frames[0].loc["2013-11-05T19:00:00Z/B6/" + _number(frames[0])]
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


def test_block_time_takes_time_zones_and_the_change_of_clocks_out(frames, raw):
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
        assert frames[0].loc[entity, "block_minutes"] == block, entity


def test_a_cutoff_sees_the_observation_labelled_an_hour_before(frames, raw):
    header, *rows = raw["weather"]
    observed = {
        (r["origin"], r["time_hour"]): r["temp"]
        for r in (dict(zip(header, row, strict=True)) for row in rows)
    }
    snapshots = frames[0]
    for entity in snapshots.index[100:7500:250]:
        hour = datetime.fromisoformat(entity[:20]) - timedelta(hours=3)
        raw_value = observed.get((snapshots.loc[entity, "origin"], f"{hour:%Y-%m-%dT%H:%M:%SZ}"))
        if raw_value not in (None, "NA"):
            assert snapshots.loc[entity, "temperature_f"] == float(raw_value), entity


def test_a_lost_tail_number_says_nothing_of_its_own_departure(frames, raw):
    """Null tails are cancellations' alone; no aircraft input may tell one from the other."""
    header, *rows = raw["flights"]
    tailless = [dict(zip(header, row, strict=True)) for row in rows]
    tailless = [r for r in tailless if r["tailnum"] == "NA"]
    entities = [f"{r['time_hour']}/{r['carrier']}/{r['flight']}" for r in tailless]
    late = frames[0].loc[[e for e in entities if e >= "2013-10-31"]]

    assert len(late) > 5
    assert late["aircraft_seats"].notna().mean() > 0.4


def test_identity_inputs_are_unique_and_complete(frames):
    snapshots = frames[0]
    assert snapshots.index.is_unique
    required = [f.name for f in USE_CASE.input_fields if not f.nullable]
    incomplete = reduce(lambda a, b: a | b, (snapshots[n].isna() for n in required))
    assert incomplete.sum() == 0
