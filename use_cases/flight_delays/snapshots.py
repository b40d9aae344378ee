"""Joins and point-in-time aggregates in Spark: a row a departure, as seen two hours ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from pipeline_code.use_case import load_use_case

Keep = Callable[[DataFrame], DataFrame]

LEAD_HOURS = 2
"""The decision is made this long before the scheduled hour: the cutoff."""
OBSERVATION_LAG_HOURS = 1
"""The observation labelled h is made at about h:51: the cutoff sees the one labelled before."""
CANCELLATION_KNOWN_MINUTES = 360
"""The data has no time of cancellation: one counts as known six hours after its schedule."""
LATE_MINUTES = 15
DELAY_LIMITS = (-15, 240)
ARRIVAL_DELAY_LIMITS = (-60, 240)
NEVER = 1_000_000
"""Minutes of delay of a departure that did not take place."""
TRAILING_DAYS = (-29, -2)
"""All of a day's outcomes are known by the first cutoff of the day after the next."""
AIRCRAFT_DAYS = (-47, -2)
TAIL_REACH_MINUTES = 18 * 60
GAP_HOURS = 2
"""A gap in the weather is filled from up to this many hours before, never from after."""
CARIBBEAN = ("BQN", "PSE", "SJU", "STT")
"""Airports that the airports table lacks; all keep Puerto Rico's time."""
CARIBBEAN_ZONE = "America/Puerto_Rico"
HOME_ZONE = "America/New_York"
MINUTES_OF_DAY = 24 * 60

WINDOWS: Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "nyc": ((), (4,)),
    "origin": (("origin",), (2, 4, 12)),
    "carrier": (("carrier",), (4,)),
    "carrier_origin": (("carrier", "origin"), (6,)),
    "dest": (("dest",), (6, 12)),
}
"""Windows before the cutoff: what they group by, and the scheduled hours that they reach back."""
WINDOW_FIGURES = (
    "flights",
    "cancelled",
    "late",
    "waiting",
    "delay_sum",
    "landed",
    "arrival_delay_sum",
)
ROUTE = ("carrier", "origin", "dest")
NUMBER = ("carrier", "flight", "origin", "dest")
IDENTITY = ("th", "carrier", "flight")
OBSERVATIONS = {
    "temp": "temperature_f",
    "dewp": "dew_point_f",
    "humid": "humidity_pct",
    "wind_dir": "wind_direction_deg",
    "wind_speed": "wind_speed_mph",
    "wind_gust": "wind_gust_mph",
    "precip": "precipitation_in",
    "pressure": "pressure_hpa",
    "visib": "visibility_mi",
}


def build_snapshots(sources: Mapping[str, DataFrame], keep: Keep) -> DataFrame:
    """Join the sources into a row a departure: identity, label, and what ``inputs.yaml`` lists.

    ``keep`` has an intermediate table computed once; Spark, whose planning time grows with the
    square of a plan's depth, then plans each on its own.
    """
    flights = keep(_flights(sources["flights"], sources["airports"]))
    aircraft = sources["aircraft"]
    states = _states(flights)
    carriers = _carrier_hours(flights, states["carrier"])
    city = _city_hours(flights, states["nyc"])
    # Narrow ones first: each join copies the columns of those before it.
    parts: tuple[tuple[DataFrame, Sequence[str]], ...] = (
        (_previous_departures(flights), IDENTITY),
        (_numbers(flights, aircraft), (*NUMBER, "day")),
        (_routes(flights, aircraft), (*ROUTE, "day")),
        (
            _carrier_origin_hours(flights, states["carrier_origin"]).join(
                carriers, ["carrier", "th"], "left"
            ),
            ("carrier", "origin", "th"),
        ),
        (_dest_hours(flights, states["dest"]), ("dest", "th")),
        (
            _origin_hours(flights, states["origin"])
            .join(F.broadcast(city), "th", "left")
            .join(_weather(sources["weather"]), ["origin", "th"], "left"),
            ("origin", "th"),
        ),
    )
    joined = flights
    for part, key in parts:
        joined = joined.join(keep(part), list(key), "left")
    return _inputs(joined)


def _flights(flights: DataFrame, airports: DataFrame) -> DataFrame:
    """Departures with their scheduled hour ``th`` (UTC, hours), local ``day`` (days) and label."""
    zone = F.when(F.col("dest").isin(*CARIBBEAN), CARIBBEAN_ZONE).otherwise(F.col("tzone"))
    departure = F.col("hour") * 60 + F.col("minute")
    arrival = F.floor(F.col("sched_arr_time") / 100) * 60 + F.col("sched_arr_time") % 100
    shift = _utc_offset_minutes(zone) - _utc_offset_minutes(F.lit(HOME_ZONE))
    not_on_time = F.col("arr_delay").isNull() | (F.col("arr_delay") >= LATE_MINUTES)
    zones = airports.select(F.col("faa").alias("dest"), "tzone")
    date = F.make_date("year", "month", "day")
    return (
        flights.withColumn("date", date)
        .join(F.broadcast(zones), "dest", "left")
        .select(
            "carrier",
            "flight",
            "origin",
            "dest",
            "tailnum",
            "minute",
            F.col("hour").alias("local_hour"),
            "date",
            F.unix_date("date").alias("day"),
            _hours(F.col("time_hour")).alias("th"),
            F.pmod(arrival - departure - shift, F.lit(MINUTES_OF_DAY)).cast("int").alias("block"),
            F.col("distance"),
            "dep_delay",
            "arr_delay",
            not_on_time.cast("int").alias("label"),
        )
    )


def _utc_offset_minutes(zone: Column) -> Column:
    """Offset of a zone at local noon of ``date``."""
    noon = F.unix_timestamp(F.col("date").cast("timestamp")) + 12 * 3600
    as_utc = F.unix_timestamp(F.to_utc_timestamp(F.timestamp_seconds(noon), zone))
    return (noon - as_utc) / 60


def _hours(time: Column) -> Column:
    """Whole hours since 1970 of a timestamp at a full hour."""
    return (F.unix_timestamp(time) / 3600).cast("int")


def _states(flights: DataFrame) -> dict[str, DataFrame]:
    """Tell the windows at each cutoff, by the scheduled hour ``th`` that it belongs to."""
    return {name: _state(flights, name, *shape) for name, shape in WINDOWS.items()}


def _state(flights: DataFrame, name: str, group: Sequence[str], reach: Sequence[int]) -> DataFrame:
    """Figures of one group's windows, as far as they can be seen at the cutoff.

    Each departure is told to the cutoffs of the hours after it: sums by group and cutoff need
    neither an as-of join nor a sort.
    """
    ago = F.explode(F.sequence(F.lit(1), F.lit(max(reach)))).alias("ago")
    told = flights.select(*group, "th", "minute", "block", "dep_delay", "arr_delay", ago)
    seen = told.select(
        *group, (F.col("th") + F.col("ago") + LEAD_HOURS).alias("th"), "ago", *_seen()
    )
    sums = [
        F.sum(F.when(F.col("ago") <= hours, F.col(figure))).alias(f"{name}_{hours}h_{figure}")
        for hours in reach
        for figure in WINDOW_FIGURES
    ]
    return seen.groupBy(*group, "th").agg(*sums)


def _seen() -> list[Column]:
    """Tell one departure ``ago`` hours after its scheduled hour began."""
    since = F.col("ago") * 60 - F.col("minute")
    delay = F.coalesce(F.col("dep_delay"), F.lit(NEVER))
    cancelled = F.col("dep_delay").isNull() & (since >= CANCELLATION_KNOWN_MINUTES)
    so_far = _clip(F.least(delay, since), DELAY_LIMITS)
    landed = F.col("arr_delay").isNotNull() & (F.col("block") + F.col("arr_delay") <= since)
    return [
        F.lit(1).alias("flights"),
        cancelled.cast("int").alias("cancelled"),
        (~cancelled & (so_far >= LATE_MINUTES)).cast("int").alias("late"),
        (~cancelled & (delay > since)).cast("int").alias("waiting"),
        F.when(~cancelled, so_far).alias("delay_sum"),
        landed.cast("int").alias("landed"),
        F.when(landed, _clip(F.col("arr_delay"), ARRIVAL_DELAY_LIMITS)).alias("arrival_delay_sum"),
    ]


def _clip(value: Column, limits: tuple[int, int]) -> Column:
    return F.greatest(F.lit(limits[0]), F.least(F.lit(limits[1]), value))


def _city_hours(flights: DataFrame, state: DataFrame) -> DataFrame:
    hours = flights.groupBy("th", "day").agg(F.count(F.lit(1)).alias("departures_nyc_hour"))
    return hours.join(_rates(flights, "nyc", ()), "day").drop("day").join(state, "th", "left")


def _origin_hours(flights: DataFrame, state: DataFrame) -> DataFrame:
    by_origin = Window.partitionBy("origin").orderBy("th")
    count = F.col("departures_origin_hour")
    before = F.sum(count).over(by_origin.rangeBetween(-1, -1))
    after = F.sum(count).over(by_origin.rangeBetween(1, 1))
    hours = flights.groupBy("origin", "th", "day", "local_hour").agg(
        F.count(F.lit(1)).alias("departures_origin_hour")
    )
    rates = _rates(flights, "origin_hour", ("origin", "local_hour"))
    return (
        hours.withColumns(
            {
                "departures_origin_hour_before": F.coalesce(before, F.lit(0)),
                "departures_origin_hour_after": F.coalesce(after, F.lit(0)),
            }
        )
        .join(rates, ["origin", "local_hour", "day"])
        .drop("day", "local_hour")
        .join(state, ["origin", "th"], "left")
    )


def _carrier_hours(flights: DataFrame, state: DataFrame) -> DataFrame:
    hours = flights.select("carrier", "th", "day").distinct()
    rates = _rates(flights, "carrier", ("carrier",))
    keyed = hours.join(F.broadcast(rates), ["carrier", "day"]).drop("day")
    return keyed.join(state, ["carrier", "th"], "left")


def _dest_hours(flights: DataFrame, state: DataFrame) -> DataFrame:
    hours = flights.groupBy("dest", "th", "day").agg(
        F.count(F.lit(1)).alias("departures_dest_hour")
    )
    rates = _rates(flights, "dest", ("dest",))
    keyed = hours.join(F.broadcast(rates), ["dest", "day"]).drop("day")
    return keyed.join(state, ["dest", "th"], "left")


def _carrier_origin_hours(flights: DataFrame, state: DataFrame) -> DataFrame:
    hours = flights.groupBy("carrier", "origin", "th").agg(
        F.count(F.lit(1)).alias("departures_carrier_hour")
    )
    return hours.join(state, ["carrier", "origin", "th"], "left")


def _rates(flights: DataFrame, name: str, group: Sequence[str]) -> DataFrame:
    """Flights and late ones of the trailing days, by group and local day."""
    daily = flights.groupBy(*group, "day").agg(*_outcomes())
    return daily.select(*group, "day", *_trailing(name, group))


def _outcomes() -> tuple[Column, Column]:
    return F.count(F.lit(1)).alias("flights"), F.sum("label").alias("late")


def _trailing(name: str, group: Sequence[str]) -> list[Column]:
    keys = [F.col(name) for name in group] or [F.lit(0)]
    by_day = Window.partitionBy(*keys).orderBy("day").rangeBetween(*TRAILING_DAYS)
    return [
        F.coalesce(F.sum(figure).over(by_day), F.lit(0)).alias(f"{figure}_28d_{name}")
        for figure in ("flights", "late")
    ]


def _routes(flights: DataFrame, aircraft: DataFrame) -> DataFrame:
    """Describe a carrier's route on a day: departures, trailing rate, aircraft last flown."""
    daily = _daily(flights, aircraft, ROUTE)
    on_day = Window.partitionBy("origin", "dest", "day")
    return daily.select(
        *ROUTE,
        "day",
        F.sum("flights").over(on_day).alias("departures_route_day"),
        *_trailing("route_carrier", ROUTE),
        _last_aircraft(ROUTE).alias("route_aircraft"),
    )


def _numbers(flights: DataFrame, aircraft: DataFrame) -> DataFrame:
    """Describe a flight number on a day: trailing rate, aircraft last flown."""
    return _daily(flights, aircraft, NUMBER).select(
        *NUMBER,
        "day",
        *_trailing("flight_number", NUMBER),
        _last_aircraft(NUMBER).alias("number_aircraft"),
    )


def _daily(flights: DataFrame, aircraft: DataFrame, group: Sequence[str]) -> DataFrame:
    register = aircraft.select(
        "tailnum", F.col("year").alias("year_built"), "seats", "engines", "manufacturer"
    )
    first = F.min_by("manufacturer", F.when(F.col("seats").isNotNull(), F.struct(*IDENTITY)))
    known = F.struct(
        F.avg("year_built").alias("year_built"),
        F.avg("seats").alias("seats"),
        F.max("engines").alias("engines"),
        first.alias("manufacturer"),
    )
    daily = flights.join(F.broadcast(register), "tailnum", "left").groupBy(*group, "day")
    return daily.agg(*_outcomes(), F.when(F.count("seats") > 0, known).alias("aircraft"))


def _last_aircraft(group: Sequence[str]) -> Column:
    """Aircraft of the last day with a registered one, never of the last two days.

    The day's own tail number would give cancellations away: it is null for a third of them.
    """
    by_day = Window.partitionBy(*group).orderBy("day").rangeBetween(*AIRCRAFT_DAYS)
    return F.last("aircraft", ignorenulls=True).over(by_day)


def _weather(weather: DataFrame) -> DataFrame:
    """Observations by origin and the scheduled hour ``th`` whose cutoff sees them last."""
    hours = _hours(F.col("time_hour")).alias("observed")
    # Without a gust the station reports none.
    known = weather.withColumn("wind_gust", F.coalesce("wind_gust", F.lit(0.0))).select(
        "origin", hours, *(F.col(raw).alias(name) for raw, name in OBSERVATIONS.items())
    )
    grid = known.groupBy("origin").agg(
        F.explode(F.sequence(F.min("observed"), F.max("observed") + 2 * GAP_HOURS)).alias(
            "observed"
        )
    )
    by_hour = Window.partitionBy("origin").orderBy("observed")
    filled = grid.join(known, ["origin", "observed"], "left").select(
        "origin",
        "observed",
        *(_filled(name, by_hour).alias(name) for name in OBSERVATIONS.values()),
    )
    seen_by = F.col("observed") + LEAD_HOURS + OBSERVATION_LAG_HOURS
    around = filled.select("*", *_last_hours(by_hour), seen_by.alias("th")).drop("observed")
    return around.join(_city_weather(around), "th")


def _filled(name: str, by_hour: WindowSpec) -> Column:
    earlier = [F.lag(name, hours).over(by_hour) for hours in range(1, GAP_HOURS + 1)]
    return F.coalesce(F.col(name), *earlier)


def _last_hours(by_hour: WindowSpec) -> list[Column]:
    recent = by_hour.rowsBetween(-2, 0)
    rain = [F.lag("precipitation_in", hours).over(by_hour) for hours in range(3)]
    total = reduce(lambda a, b: a + F.coalesce(b, F.lit(0.0)), rain, F.lit(0.0))
    return [
        F.when(F.coalesce(*rain).isNotNull(), total).alias("precipitation_3h_in"),
        F.min("visibility_mi").over(recent).alias("visibility_min_3h_mi"),
        F.max("wind_gust_mph").over(recent).alias("wind_gust_max_3h_mph"),
        F.lag("temperature_f", 3).over(by_hour).alias("temperature_3h_ago_f"),
        F.lag("pressure_hpa", 3).over(by_hour).alias("pressure_3h_ago_hpa"),
    ]


def _city_weather(around: DataFrame) -> DataFrame:
    # Sorted before they are added: the mean is the same to the last bit in any order.
    humid = F.sort_array(F.collect_list("humidity_pct"))
    total = F.aggregate(humid, F.lit(0.0), lambda sum_, value: sum_ + value)
    return around.groupBy("th").agg(
        F.max("precipitation_in").alias("nyc_precipitation_max_in"),
        F.min("visibility_mi").alias("nyc_visibility_min_mi"),
        F.max("wind_speed_mph").alias("nyc_wind_speed_max_mph"),
        F.max("wind_gust_mph").alias("nyc_wind_gust_max_mph"),
        F.when(F.size(humid) > 0, total / F.size(humid)).alias("nyc_humidity_mean_pct"),
    )


def _previous_departures(flights: DataFrame) -> DataFrame:
    """Find the assigned tail's last departure from New York before the cutoff, as seen then."""
    scheduled = F.col("th") * 60 + F.col("minute")
    tails = flights.where(F.col("tailnum").isNotNull()).withColumn("scheduled", scheduled)
    asked = tails.select(
        *IDENTITY, "tailnum", "scheduled", ((F.col("th") - LEAD_HOURS) * 60).alias("at"),
        F.lit(0).alias("kind"), F.lit(None).alias("previous"),
    )  # fmt: skip
    departure = F.struct("scheduled", "block", "dep_delay", "arr_delay")
    told = tails.select(
        *IDENTITY, "tailnum", "scheduled", F.col("scheduled").alias("at"),
        F.lit(1).alias("kind"), departure.alias("previous"),
    )  # fmt: skip
    # At one minute the question comes first: a departure at the cutoff is not before it.
    order = Window.partitionBy("tailnum").orderBy("at", "kind", *IDENTITY)
    before = order.rowsBetween(Window.unboundedPreceding, -1)
    last = F.last("previous", ignorenulls=True).over(before)
    since = F.col("at") - F.col("previous.scheduled")
    arrived = F.col("previous.block") + F.col("previous.arr_delay") <= since
    so_far = F.least(F.coalesce(F.col("previous.dep_delay"), F.lit(NEVER)), since)
    return (
        asked.unionByName(told)
        .withColumn("previous", last)
        .where((F.col("kind") == 0) & (since <= TAIL_REACH_MINUTES))
        .select(
            *IDENTITY,
            (F.col("scheduled") - F.col("previous.scheduled")).alias("tail_minutes_since_previous"),
            F.when(arrived, F.col("previous.arr_delay"))
            .otherwise(so_far)
            .alias("tail_previous_delay"),
            F.col("previous.block").alias("tail_previous_block_minutes"),
        )
    )


def _inputs(joined: DataFrame) -> DataFrame:
    """Name the columns as ``inputs.yaml`` does; a window that saw no departure counts nought."""
    hour = F.timestamp_seconds(F.col("th").cast("long") * 3600)
    identity = F.concat_ws(
        "/", F.date_format(hour, "yyyy-MM-dd'T'HH:mm:ss'Z'"), "carrier", F.col("flight")
    )
    departure = F.format_string(
        "%sT%02d:%02d", F.col("date").cast("string"), "local_hour", "minute"
    )
    named = {
        "scheduled_departure": departure,
        "block_minutes": F.col("block"),
        "distance_miles": F.col("distance"),
        "aircraft_year_built": _aircraft("year_built"),
        "aircraft_seats": _aircraft("seats"),
        "aircraft_engines": _aircraft("engines"),
        "aircraft_manufacturer": _aircraft("manufacturer"),
    }
    counted = tuple(f"{name}_{h}h_" for name, (_, reach) in WINDOWS.items() for h in reach)
    for field in load_use_case("flight_delays").input_fields:
        if field.name.startswith(counted):
            named[field.name] = F.coalesce(F.col(field.name), F.lit(0))
        else:
            named.setdefault(field.name, F.col(field.name))
    return joined.select(
        identity.alias("entity_id"),
        F.timestamp_seconds((F.col("th").cast("long") - LEAD_HOURS) * 3600).alias("event_time"),
        F.date_format("date", "yyyy-MM").alias("period"),
        F.col("label").cast("byte").alias("label"),
        *(column.alias(name) for name, column in named.items()),
    )


def _aircraft(attribute: str) -> Column:
    """Of the flight number's last aircraft; of the route's, where that says nothing."""
    return F.coalesce(F.col(f"number_aircraft.{attribute}"), F.col(f"route_aircraft.{attribute}"))
