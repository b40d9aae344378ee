"""The ETL in polars: ``python -m use_cases.flight_delays.bench.polars_run SOURCES OUT``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from use_cases.flight_delays.before_cutoff import (
    ARRIVAL_DELAY_LIMITS,
    CANCELLATION_KNOWN_MINUTES,
    DELAY_LIMITS,
    FIGURES,
    LATE_MINUTES,
    LEAD_HOURS,
    LONG_HOURS,
    NEVER,
    SETTLED_HOURS,
    SETTLING,
    TAIL_REACH_HOURS,
)
from use_cases.flight_delays.bench.common import (
    CARIBBEAN,
    CARIBBEAN_AIRPORTS,
    USE_CASE,
    write_features,
    zone_shifts,
)
from use_cases.flight_delays.observations import GAP_HOURS, OBSERVATION_LAG_HOURS, OBSERVATIONS
from use_cases.flight_delays.trailing import AIRCRAFT_DAYS, NUMBER, ROUTE, TRAILING_DAYS

BATCH_ROWS = 65_536
AIRCRAFT = ("year_built", "seats", "engines", "manufacturer")
HOUR = 3_600_000_000


def main(sources: Path, out: Path) -> int:
    """Read CSV, join, write features; give the number of rows."""
    flights = departures(sources)
    joined = with_tail(with_number(flights))
    daily = route_days(flights)
    joined = _with_last_aircraft(joined, daily, ROUTE, "route")
    trailing = rolling(daily, ROUTE, "route_carrier").with_columns(
        departures_route_day=pl.col("flights").sum().over("origin", "dest", "day")
    )
    counts = ("departures_route_day", "flights_28d_route_carrier", "late_28d_route_carrier")
    joined = joined.join(trailing.select(*ROUTE, "day", *counts), on=[*ROUTE, "day"], how="left")
    for name, keys in {
        "nyc": (), "carrier": ("carrier",), "dest": ("dest",),
        "origin_hour": ("origin", "local_hour"),
    }.items():  # fmt: skip
        days = flights.group_by(*keys, "day").agg(flights=pl.len(), late=pl.col("label").sum())
        rates = rolling(days, keys, name).drop("flights", "late")
        joined = joined.join(rates, on=[*keys, "day"], how="left")
    for part, keys in states(flights):
        joined = joined.join(part, on=[*keys, "th"], how="left")
    joined = joined.join(weather(sources), on=["origin", "th"], how="left")
    rows = inputs(joined).sort("th", "carrier", "flight").drop("th", "flight")
    table = rows.collect()
    parts = (table.slice(n, BATCH_ROWS).to_arrow() for n in range(0, table.height, BATCH_ROWS))
    batches = (batch for part in parts for batch in part.combine_chunks().to_batches())
    return write_features(batches, out / "features.parquet")


def departures(sources: Path) -> pl.LazyFrame:
    """Departures with scheduled hour, block time, label and register."""
    raw = _scan(sources, "flights").with_columns(date=pl.date("year", "month", "day"))
    airports = _scan(sources, "airports").select(dest="faa", tzone="tzone")
    zone = pl.when(pl.col("dest").is_in(CARIBBEAN_AIRPORTS)).then(pl.lit(CARIBBEAN))
    dates = raw.select(pl.col("date").unique()).collect().to_series().to_list()
    zones = airports.select(pl.col("tzone").drop_nulls().unique()).collect().to_series().to_list()
    shifts = pl.LazyFrame(
        zone_shifts(dates, {*zones, CARIBBEAN}), schema_overrides={"shift": pl.Int64}
    )
    register = _scan(sources, "aircraft").select("tailnum", *_register())
    arrival = pl.col("sched_arr_time") // 100 * 60 + pl.col("sched_arr_time") % 100
    departure = pl.col("hour") * 60 + pl.col("minute")
    late = pl.col("arr_delay").is_null() | (pl.col("arr_delay") >= LATE_MINUTES)
    return (
        raw.join(airports, on="dest", how="left")
        .with_columns(zone=zone.otherwise(pl.col("tzone")))
        .join(shifts, on=["date", "zone"], how="left")
        .join(register, on="tailnum", how="left")
        .select(
            "carrier", "flight", "origin", "dest", "tailnum", "minute", "distance", "dep_delay",
            "arr_delay", "date", *AIRCRAFT,
            local_hour="hour",
            day=pl.col("date").cast(pl.Int32).cast(pl.Int64),
            th=_hours("time_hour"),
            block=(arrival - departure - pl.col("shift")) % 1440,
            label=late.cast(pl.Int64),
        )
    )  # fmt: skip


def with_number(flights: pl.LazyFrame) -> pl.LazyFrame:
    """Trailing rate of the flight number, and its last registered aircraft."""
    days = flights.select(*NUMBER, "day", "label").group_by(*NUMBER, "day")
    rates = rolling(days.agg(flights=pl.len(), late=pl.col("label").sum()), NUMBER, "flight_number")
    joined = flights.join(rates.drop("flights", "late"), on=[*NUMBER, "day"], how="left")
    return _with_last_aircraft(joined, flights, NUMBER, "number")


def route_days(flights: pl.LazyFrame) -> pl.LazyFrame:
    """Sum a carrier's route by day, with the mean of the aircraft flown."""
    first = pl.col("manufacturer").sort_by("th", "carrier", "flight").drop_nulls().first()
    return flights.group_by(*ROUTE, "day").agg(
        pl.col("year_built").mean(), pl.col("seats").mean(), pl.col("engines").max(), first,
        flights=pl.len(), late=pl.col("label").sum(),
    )  # fmt: skip


def _with_last_aircraft(
    joined: pl.LazyFrame, flown: pl.LazyFrame, keys: Sequence[str], name: str
) -> pl.LazyFrame:
    known = flown.filter(pl.col("seats").is_not_null()).select(
        *keys,
        (pl.col("day") - AIRCRAFT_DAYS[1]).alias("known_day"),
        *(pl.col(a).alias(f"{name}_{a}") for a in AIRCRAFT),
    )
    return joined.sort("day").join_asof(
        known.sort("known_day"), left_on="day", right_on="known_day", by=list(keys),
        strategy="backward", tolerance=AIRCRAFT_DAYS[1] - AIRCRAFT_DAYS[0], check_sortedness=False,
    ).drop("known_day", strict=False)  # fmt: skip


def with_tail(flights: pl.LazyFrame) -> pl.LazyFrame:
    """Find the tail's last departure before the cutoff, as seen at it."""
    scheduled = pl.col("th") * 60 + pl.col("minute")
    told = flights.filter(pl.col("tailnum").is_not_null()).select(
        "tailnum", "carrier", "flight", previous=scheduled, previous_block="block",
        previous_dep="dep_delay", previous_arr="arr_delay",
    ).sort("previous", "carrier", "flight").drop("carrier", "flight")  # fmt: skip
    since = pl.col("at") - pl.col("previous")
    so_far = pl.min_horizontal(pl.col("previous_dep").fill_null(NEVER), since)
    arrived = pl.col("previous_block") + pl.col("previous_arr") <= since
    return (
        flights.with_columns(at=(pl.col("th") - LEAD_HOURS) * 60, scheduled=scheduled)
        .sort("at")
        .join_asof(
            told, left_on="at", right_on="previous", by="tailnum", strategy="backward",
            allow_exact_matches=False, tolerance=TAIL_REACH_HOURS * 60, coalesce=False,
            check_sortedness=False,
        )
        .with_columns(
            tail_minutes_since_previous=pl.col("scheduled") - pl.col("previous"),
            tail_previous_delay=pl.when(pl.col("previous").is_not_null()).then(
                pl.when(arrived.fill_null(value=False)).then("previous_arr").otherwise(so_far)
            ),
            tail_previous_block_minutes="previous_block",
        )
    )  # fmt: skip


def rolling(daily: pl.LazyFrame, keys: Sequence[str], name: str) -> pl.LazyFrame:
    """Add the sums of the trailing days to a table by keys and day."""
    first, last = TRAILING_DAYS
    sums = (
        daily.sort(*keys, "day")
        .rolling("day", period=f"{last - first}i", offset=f"{first}i", closed="both",
                 group_by=list(keys) or None)
        .agg(
            pl.col("flights").sum().alias(f"flights_28d_{name}"),
            pl.col("late").sum().alias(f"late_28d_{name}"),
        )
    )  # fmt: skip
    return daily.join(sums, on=[*keys, "day"], how="left")


def states(flights: pl.LazyFrame) -> Iterable[tuple[pl.LazyFrame, tuple[str, ...]]]:
    """Windows before the cutoff, by group and scheduled hour."""
    told = _told(flights)
    for name, keys, reaches in (
        ("nyc", (), (4,)),
        ("origin", ("origin",), (2, 4)),
        ("carrier", ("carrier",), (4,)),
        ("carrier_origin", ("carrier", "origin"), (6,)),
        ("dest", ("dest",), (6,)),
    ):
        sums = [
            pl.when(pl.col("ago") <= h).then(f).sum().alias(f"{name}_{h}h_{f}")
            for h in reaches for f in FIGURES
        ]  # fmt: skip
        seen = told.filter(pl.col("ago") <= max(*reaches, 0))
        yield seen.group_by(*keys, "th").agg(*sums), keys
        column = {"nyc": "nyc", "origin": "origin", "carrier_origin": "carrier", "dest": "dest"}
        if name in column:
            counts = flights.group_by(*keys, "th").len(f"departures_{column[name]}_hour")
            yield counts, keys
    for group in ("origin", "dest"):
        yield _long(flights, told, group), (group,)
    hours = flights.group_by("origin", "th").len("count")
    for name, shift in (("before", 1), ("after", -1)):
        yield (
            hours.select(
                "origin", pl.col("th") + shift,
                pl.col("count").alias(f"departures_origin_hour_{name}"),
            ),
            ("origin",),
        )  # fmt: skip


def _long(flights: pl.LazyFrame, told: pl.LazyFrame, group: str) -> pl.LazyFrame:
    """Sum what may still change, told hour by hour, and what has settled, by scheduled hour."""
    settled = flights.with_columns(since=pl.lit(NEVER)).with_columns(**_seen())
    hourly = settled.group_by(group, "th").agg(pl.col(f).sum() for f in SETTLING)
    ago = pl.LazyFrame({"ago": range(SETTLED_HOURS + 1, LONG_HOURS + 1)})
    later = hourly.join(ago, how="cross").with_columns(pl.col("th") + pl.col("ago") + LEAD_HOURS)
    columns = (group, "th", *SETTLING)
    both = pl.concat([told.select(columns), later.select(columns)], how="vertical_relaxed")
    return both.group_by(group, "th").agg(
        pl.col(f).sum().alias(f"{group}_{LONG_HOURS}h_{f}") for f in SETTLING
    )


def _told(flights: pl.LazyFrame) -> pl.LazyFrame:
    ago = pl.LazyFrame({"ago": range(1, SETTLED_HOURS + 1)}, schema={"ago": pl.Int64})
    keys = ("carrier", "origin", "dest", "th", "minute", "block", "dep_delay", "arr_delay")
    told = flights.select(keys).join(ago, how="cross")
    told = told.with_columns(since=pl.col("ago") * 60 - pl.col("minute"))
    return told.with_columns(th=pl.col("th") + pl.col("ago") + LEAD_HOURS, **_seen())


def _seen() -> dict[str, pl.Expr]:
    since, delay = pl.col("since"), pl.col("dep_delay").fill_null(NEVER)
    cancelled = pl.col("dep_delay").is_null() & (since >= CANCELLATION_KNOWN_MINUTES)
    so_far = pl.min_horizontal(delay, since).clip(*DELAY_LIMITS)
    landed = (pl.col("block") + pl.col("arr_delay") <= since).fill_null(value=False)
    return {
        "flights": pl.lit(1, pl.Int64),
        "cancelled": cancelled.cast(pl.Int64),
        "late": (~cancelled & (so_far >= LATE_MINUTES)).cast(pl.Int64),
        "delay_sum": pl.when(~cancelled).then(so_far),
        "waiting": (~cancelled & (delay > since)).cast(pl.Int64),
        "landed": landed.cast(pl.Int64),
        "arrival_delay_sum": pl.when(landed).then(pl.col("arr_delay").clip(*ARRIVAL_DELAY_LIMITS)),
    }


def weather(sources: Path) -> pl.LazyFrame:
    """Observations by origin and the scheduled hour whose cutoff sees them last."""
    names = list(OBSERVATIONS.values())
    known = _scan(sources, "weather").select(
        "origin",
        observed=_hours("time_hour"),
        **{name: pl.col(raw).cast(pl.Float64) for raw, name in OBSERVATIONS.items()},
    ).with_columns(pl.col("wind_gust_mph").fill_null(0.0))  # fmt: skip
    reach = pl.int_ranges(pl.col("observed").min(), pl.col("observed").max() + 2 * GAP_HOURS + 1)
    grid = known.group_by("origin").agg(reach.first().alias("observed")).explode("observed")
    filled = (
        grid.join(known, on=["origin", "observed"], how="left")
        .sort("origin", "observed")
        .with_columns(pl.col(names).forward_fill(limit=GAP_HOURS).over("origin"))
    )

    def recent(name: str) -> list[pl.Expr]:
        return [pl.col(name).shift(n).over("origin") for n in range(3)]

    rain = recent("precipitation_in")
    total = pl.lit(0.0)
    for part in rain:
        total = total + part.fill_null(0.0)
    around = filled.with_columns(
        precipitation_3h_in=pl.when(pl.coalesce(rain).is_not_null()).then(total),
        visibility_min_3h_mi=pl.min_horizontal(recent("visibility_mi")),
        wind_gust_max_3h_mph=pl.max_horizontal(recent("wind_gust_mph")),
        temperature_3h_ago_f=pl.col("temperature_f").shift(3).over("origin"),
        pressure_3h_ago_hpa=pl.col("pressure_hpa").shift(3).over("origin"),
        th=pl.col("observed") + LEAD_HOURS + OBSERVATION_LAG_HOURS,
    )
    city = around.group_by("th").agg(
        nyc_precipitation_max_in=pl.col("precipitation_in").max(),
        nyc_visibility_min_mi=pl.col("visibility_mi").min(),
        nyc_wind_speed_max_mph=pl.col("wind_speed_mph").max(),
        nyc_wind_gust_max_mph=pl.col("wind_gust_mph").max(),
        nyc_humidity_mean_pct=pl.col("humidity_pct").mean(),
    )
    return around.drop("observed").join(city, on="th", how="left")


def inputs(joined: pl.LazyFrame) -> pl.LazyFrame:
    """Name the columns as ``inputs.yaml`` does."""
    hour = pl.from_epoch(pl.col("th") * 3600, time_unit="s")
    identity = pl.concat_str(
        hour.dt.strftime("%Y-%m-%dT%H:%M:%SZ"), "carrier", "flight", separator="/"
    )
    departure = pl.concat_str(
        pl.col("date").cast(pl.String), pl.lit("T"),
        pl.col("local_hour").cast(pl.String).str.zfill(2), pl.lit(":"),
        pl.col("minute").cast(pl.String).str.zfill(2),
    )  # fmt: skip
    named = {
        "scheduled_departure": departure,
        "block_minutes": pl.col("block"),
        "distance_miles": pl.col("distance"),
        **{f"aircraft_{a}": pl.coalesce(f"number_{a}", f"route_{a}") for a in AIRCRAFT},
    }
    network = USE_CASE.inputs["network"]
    columns = []
    for field in USE_CASE.input_fields:
        column = named.get(field.name, pl.col(field.name))
        counted = field.name.startswith("departures_") or (
            field.name in network and not field.nullable
        )
        columns.append((column.fill_null(0) if counted else column).alias(field.name))
    return joined.select("th", "flight", "label", identity.alias("entity_id"), *columns)


def _register() -> list[pl.Expr]:
    return [pl.col("year").alias("year_built"), *(pl.col(name) for name in AIRCRAFT[1:])]


def _scan(sources: Path, name: str) -> pl.LazyFrame:
    contract = USE_CASE.sources[name]
    kinds = {"string": pl.String, "integer": pl.Int64, "number": pl.Float64}
    types = {c.name: kinds.get(c.type, pl.String) for c in contract.columns}
    return pl.scan_csv(
        f"{sources}/{name}/*.csv", null_values=contract.null_value, schema_overrides=types
    ).select(*types)


def _hours(name: str) -> pl.Expr:
    time = pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
    return time.cast(pl.Int64) // HOUR


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]), Path(sys.argv[2]))}\n")
