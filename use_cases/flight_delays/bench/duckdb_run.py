"""The ETL in DuckDB: ``python -m use_cases.flight_delays.bench.duckdb_run SOURCES OUT``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from use_cases.flight_delays.before_cutoff import FIGURES, SETTLING
from use_cases.flight_delays.bench.common import (
    CARIBBEAN,
    CARIBBEAN_AIRPORTS,
    USE_CASE,
    write_features,
    zone_shifts,
)
from use_cases.flight_delays.observations import OBSERVATIONS

BATCH_ROWS = 65_536
KINDS = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "timestamp": "TIMESTAMP"}
AIRCRAFT = ("year_built", "seats", "engines", "manufacturer")
RATES = {
    "nyc": (), "carrier": ("carrier",), "dest": ("dest",), "origin_hour": ("origin", "local_hour"),
}  # fmt: skip
STATES = {
    "nyc": ((), ("4h",)),
    "origin": (("origin",), ("2h", "4h")),
    "carrier": (("carrier",), ("4h",)),
    "carrier_origin": (("carrier", "origin"), ("6h",)),
    "dest": (("dest",), ("6h",)),
}

DEPARTURES = f"""
create table departures as
select f.*, r.year_built, r.seats, r.engines, r.manufacturer,
       ((sched_arr_time // 100 * 60 + sched_arr_time % 100) - (hour * 60 + minute) - shift
        + 2880) % 1440 as block
from (
    select carrier, flight, origin, dest, tailnum, minute, hour, distance, dep_delay, arr_delay,
           sched_arr_time, hour as local_hour, make_date(year, month, day) as date,
           datediff('day', date '1970-01-01', make_date(year, month, day)) as day,
           epoch(time_hour)::bigint // 3600 as th,
           (arr_delay is null or arr_delay >= 15)::int as label,
           case when dest in {CARIBBEAN_AIRPORTS} then '{CARIBBEAN}' else tzone end as zone
    from flights left join airports on dest = faa
) f
left join shifts s on f.date = s.date and f.zone = s.zone
left join (select tailnum, year as year_built, seats, engines, manufacturer from aircraft) r
       on r.tailnum = f.tailnum
"""
TOLD = """
create table told as
with t as (
    select carrier, origin, dest, th + ago + 2 as th, ago, ago * 60 - minute as since,
           dep_delay, arr_delay, block, coalesce(dep_delay, 1000000) as delay,
           dep_delay is null and ago * 60 - minute >= 360 as gone,
           coalesce(block + arr_delay <= ago * 60 - minute, false) as down
    from departures, range(1, 7) r(ago)
)
select carrier, origin, dest, th, ago, 1 as flights, gone::int as cancelled,
       (not gone and least(delay, since) >= 15)::int as late,
       case when not gone then greatest(-15, least(240, least(delay, since))) end as delay_sum,
       (not gone and delay > since)::int as waiting, down::int as landed,
       case when down then greatest(-60, least(240, arr_delay)) end as arrival_delay_sum
from t
"""
SETTLED = """
create table settled as
select origin, dest, th, day, local_hour, 1 as flights, (dep_delay is null)::int as cancelled,
       coalesce(dep_delay >= 15, false)::int as late,
       case when dep_delay is not null then greatest(-15, least(240, dep_delay)) end as delay_sum
from departures
"""
TAILS = """
create table tails as
select carrier, flight, th, (th * 60 + minute) - p.scheduled as tail_minutes_since_previous,
       case when p.block + p.arr_delay <= (th - 2) * 60 - p.scheduled then p.arr_delay
            else least(coalesce(p.dep_delay, 1000000), (th - 2) * 60 - p.scheduled)
       end as tail_previous_delay, p.block as tail_previous_block_minutes
from (
    select carrier, flight, th, minute,
           max({'scheduled': th * 60 + minute, 'carrier': carrier, 'flight': flight,
                'block': block, 'dep_delay': dep_delay, 'arr_delay': arr_delay})
           over (partition by tailnum order by th
                 range between 20 preceding and 3 preceding) as p
    from departures where tailnum is not null
)
where p is not null
"""
NUMBERS = """
create table numbers as
select carrier, flight, th,
       count(*) over past as flights_28d_flight_number,
       coalesce(sum(label) over past, 0) as late_28d_flight_number,
       arg_max({'year_built': year_built, 'seats': seats, 'engines': engines,
                'manufacturer': manufacturer}, th)
           filter (seats is not null) over known as number_aircraft
from departures
window past as (partition by carrier, flight, origin, dest order by day
                    range between 29 preceding and 2 preceding),
       known as (partition by carrier, flight, origin, dest order by day
                    range between 47 preceding and 2 preceding)
"""
ROUTES = """
create table routes as
with daily as (
    select carrier, origin, dest, day, count(*) as flights, sum(label) as late,
           {'year_built': avg(year_built), 'seats': avg(seats), 'engines': max(engines),
            'manufacturer': arg_min(manufacturer, {'a': th, 'b': carrier, 'c': flight})
                            filter (seats is not null)} as aircraft,
           count(seats) as known
    from departures group by all
)
select carrier, origin, dest, day,
       sum(flights) over (partition by origin, dest, day) as departures_route_day,
       coalesce(sum(flights) over past, 0) as flights_28d_route_carrier,
       coalesce(sum(late) over past, 0) as late_28d_route_carrier,
       arg_max(aircraft, day) filter (known > 0) over (
           partition by carrier, origin, dest order by day
           range between 47 preceding and 2 preceding) as route_aircraft
from daily
window past as (partition by carrier, origin, dest order by day
                    range between 29 preceding and 2 preceding)
"""


def main(sources: Path, out: Path) -> int:
    """Read CSV, join, write features; give the number of rows."""
    connection = duckdb.connect(str(out / "work.duckdb"))
    connection.execute(f"set threads = {os.environ.get('ETL_THREADS', '2')}")
    for name, contract in USE_CASE.sources.items():
        types = ", ".join(f"'{c.name}': '{KINDS[c.type]}'" for c in contract.columns)
        columns = ", ".join(c.name for c in contract.columns)
        connection.execute(
            f"create view {name} as select {columns} from read_csv('{sources}/{name}/*.csv',"
            f" nullstr = 'NA', types = {{{types}}})"
        )
    _shifts(connection)
    weather = _weather()
    for statement in (DEPARTURES, TOLD, SETTLED, TAILS, NUMBERS, ROUTES, *_hours(), *weather):
        connection.execute(statement)
    rows = connection.sql(_joined()).to_arrow_reader(BATCH_ROWS)
    return write_features(_batches(rows), out / "features.parquet")


def _batches(rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    yield from rows


def _shifts(connection: duckdb.DuckDBPyConnection) -> None:
    days = connection.execute("select distinct make_date(year, month, day) from flights")
    dates = [row[0] for row in days.fetchall()]
    zones = connection.execute("select distinct tzone from airports where tzone is not null")
    names = {*(row[0] for row in zones.fetchall()), CARIBBEAN}
    connection.register("shift_rows", pa.table(zone_shifts(dates, names)))
    connection.execute("create table shifts as select * from shift_rows")


def _hours() -> Iterator[str]:
    for name, keys in RATES.items():
        by = ", ".join((*keys, "day"))
        yield (
            f"create table rate_{name} as select {by}, coalesce(sum(flights) over w, 0)"
            f" as flights_28d_{name}, coalesce(sum(late) over w, 0) as late_28d_{name} from"
            f" (select {by}, count(*) as flights, sum(label) as late from departures group by all)"
            f" window w as (partition by {', '.join(keys) or '1'} order by day"
            " range between 29 preceding and 2 preceding)"
        )
    for name, (keys, reaches) in STATES.items():
        by = ", ".join((*keys, "th"))
        sums = ", ".join(
            f"sum({f}) filter (ago <= {h[:-1]}) as {name}_{h}_{f}" for h in reaches for f in FIGURES
        )
        yield f"create table state_{name} as select {by}, {sums} from told group by all"
    for name, by in {
        "nyc": "th", "origin": "origin, th", "carrier": "carrier, origin, th", "dest": "dest, th",
    }.items():  # fmt: skip
        yield (
            f"create table count_{name} as select {by}, count(*) as departures_{name}_hour"
            " from departures group by all"
        )
    for key in ("origin", "dest"):
        sums = ", ".join(f"sum({f}) as {key}_12h_{f}" for f in SETTLING)
        figures = ", ".join(SETTLING)
        yield (
            f"create table long_{key} as select {key}, th, {sums} from (select {key}, th,"
            f" {figures} from told union all select {key}, th + ago + 2, {figures} from"
            f" (select {key}, th, {', '.join(f'sum({f}) as {f}' for f in SETTLING)} from settled"
            " group by all), range(7, 13) r(ago)) group by all"
        )


def _weather() -> Iterator[str]:
    names = ", ".join(f"{raw}::double as {name}" for raw, name in OBSERVATIONS.items())
    gaps = ", ".join(
        f"coalesce(k.{n}, lag(k.{n}, 1) over w, lag(k.{n}, 2) over w) as {n}"
        for n in OBSERVATIONS.values()
    )
    yield (
        f"create table known as select origin, epoch(time_hour)::bigint // 3600 as observed,"
        f" {names.replace('wind_gust::double', 'coalesce(wind_gust, 0)::double')} from weather"
    )
    yield (
        f"create table filled as select g.origin, g.observed, {gaps} from (select origin,"
        " unnest(range(min(observed), max(observed) + 5)) as observed from known group by origin)"
        " g left join known k on g.origin = k.origin and g.observed = k.observed"
        " window w as (partition by g.origin order by g.observed)"
    )
    yield (
        "create table around as select *, observed + 3 as th, case when coalesce(precipitation_in,"
        " lag(precipitation_in, 1) over w, lag(precipitation_in, 2) over w) is not null then"
        " 0.0::double + coalesce(precipitation_in, 0) + coalesce(lag(precipitation_in, 1) over w,"
        " 0) + coalesce(lag(precipitation_in, 2) over w, 0) end as precipitation_3h_in,"
        " min(visibility_mi) over r as visibility_min_3h_mi, max(wind_gust_mph) over r as"
        " wind_gust_max_3h_mph, lag(temperature_f, 3) over w as temperature_3h_ago_f,"
        " lag(pressure_hpa, 3) over w as pressure_3h_ago_hpa from filled"
        " window w as (partition by origin order by observed),"
        " r as (partition by origin order by observed rows between 2 preceding and current row)"
    )
    yield (
        "create table city as select th, max(precipitation_in) as nyc_precipitation_max_in,"
        " min(visibility_mi) as nyc_visibility_min_mi, max(wind_speed_mph) as"
        " nyc_wind_speed_max_mph, max(wind_gust_mph) as nyc_wind_gust_max_mph, avg(humidity_pct)"
        " as nyc_humidity_mean_pct from around group by th"
    )


def _joined() -> str:
    named = {
        "scheduled_departure": "strftime(d.date, '%Y-%m-%d') || 'T' || lpad(d.local_hour::varchar,"
        " 2, '0') || ':' || lpad(d.minute::varchar, 2, '0')",
        "block_minutes": "d.block",
        "distance_miles": "d.distance",
        "departures_origin_hour_before": "before.departures_origin_hour",
        "departures_origin_hour_after": "later.departures_origin_hour",
        "departures_origin_hour": "count_origin.departures_origin_hour",
        **{f"aircraft_{a}": f"coalesce(number_aircraft.{a}, route_aircraft.{a})" for a in AIRCRAFT},
    }
    columns = []
    for field in USE_CASE.input_fields:
        column = named.get(field.name, field.name)
        counted = field.name.startswith("departures_") or (
            field.name in USE_CASE.inputs["network"] and not field.nullable
        )
        columns.append(f"{f'coalesce({column}, 0)' if counted else column} as {field.name}")
    joins = [
        *(f"left join rate_{n} using ({', '.join((*k, 'day'))})" for n, k in RATES.items()),
        *(f"left join state_{n} using ({', '.join((*k, 'th'))})" for n, (k, _) in STATES.items()),
    ]
    return (
        "select strftime(make_timestamp(th * 3600000000), '%Y-%m-%dT%H:%M:%SZ') || '/' || carrier"
        f" || '/' || flight as entity_id, d.label, {', '.join(columns)} from departures d"
        " left join tails using (carrier, flight, th) join numbers using (carrier, flight, th)"
        " left join routes using (carrier, origin, dest, day)"
        f" {' '.join(joins)} left join count_nyc using (th) left join count_origin using"
        " (origin, th) left join count_carrier using (carrier, origin, th) left join count_dest"
        " using (dest, th) left join long_origin using (origin, th) left join long_dest using"
        " (dest, th) left join around using (origin, th) left join city using (th)"
        " left join count_origin before on before.origin = d.origin and before.th = d.th - 1"
        " left join count_origin later on later.origin = d.origin and later.th = d.th + 1"
        " order by th, carrier, flight"
    )


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]), Path(sys.argv[2]))}\n")
