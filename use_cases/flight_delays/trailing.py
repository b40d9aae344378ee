"""What the days before tell of a departure: trailing rates, and the aircraft last flown."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

TRAILING_DAYS = (-29, -2)
"""All of a day's outcomes are known by the first cutoff of the day after the next."""
AIRCRAFT_DAYS = (-47, -2)
ROUTE = ("carrier", "origin", "dest")
NUMBER = ("carrier", "flight", "origin", "dest")
IDENTITY = ("th", "carrier", "flight")
RATE_KEYS = {
    "nyc": (),
    "carrier": ("carrier",),
    "dest": ("dest",),
    "origin_hour": ("origin", "local_hour"),
}
"""Rates by few keys, in one table: name of the rate, and what it groups by."""


def with_flight_number(departures: DataFrame) -> DataFrame:
    """Add the trailing rate of the flight number, and the aircraft that it last flew with."""
    by_day = Window.partitionBy(*NUMBER).orderBy("day")
    trailing = by_day.rangeBetween(*TRAILING_DAYS)
    # Flights of a number differ in their hour: the last one is the same in any order.
    last = F.max_by(_flown(), F.when(F.col("aircraft").isNotNull(), F.col("th")))
    return departures.select(
        "*",
        F.count(F.lit(1)).over(trailing).alias("flights_28d_flight_number"),
        _or_nought(F.sum("label").over(trailing)).alias("late_28d_flight_number"),
        last.over(_until(by_day)).alias("number_last"),
    ).withColumn("number_aircraft", _recent("number_last"))


def route_days(departures: DataFrame) -> DataFrame:
    """Describe a carrier's route on a day: departures, trailing rate, aircraft last flown.

    The day's own tail number would give cancellations away: it is null for a third of them.
    """
    seats = F.col("aircraft.seats")
    first = F.min_by("aircraft.manufacturer", F.when(seats.isNotNull(), F.struct(*IDENTITY)))
    known = F.struct(
        F.avg("aircraft.year_built").alias("year_built"),
        F.avg(seats).alias("seats"),
        F.max("aircraft.engines").alias("engines"),
        first.alias("manufacturer"),
    )
    daily = departures.groupBy(*ROUTE, "day").agg(
        *_outcomes(), F.when(F.count(seats) > 0, known).alias("aircraft")
    )
    by_day = Window.partitionBy(*ROUTE).orderBy("day")
    last = F.last(_flown(), ignorenulls=True).over(_until(by_day))
    on_day = Window.partitionBy("origin", "dest", "day")
    return daily.select(
        *ROUTE,
        "day",
        F.sum("flights").over(on_day).alias("departures_route_day"),
        *_trailing("route_carrier", by_day),
        last.alias("route_last"),
    ).withColumn("route_aircraft", _recent("route_last"))


def daily_rates(departures: DataFrame) -> DataFrame:
    """Flights and late ones of the trailing days, by ``rate``, ``key`` and local day."""
    keys = [
        F.struct(F.lit(name).alias("rate"), _key(columns).alias("key"))
        for name, columns in RATE_KEYS.items()
    ]
    told = departures.select("day", "label", F.explode(F.array(*keys)).alias("of"))
    daily = told.groupBy("of.rate", "of.key", "day").agg(*_outcomes())
    by_day = Window.partitionBy("rate", "key").orderBy("day")
    return daily.select("rate", "key", "day", *_trailing("", by_day))


def with_rate(hours: DataFrame, rates: DataFrame, name: str) -> DataFrame:
    """Add a rate of ``daily_rates`` to a table that has its columns and ``day``."""
    of_name = rates.where(F.col("rate") == name).select(
        F.col("key").alias("rate_key"),
        F.col("day").alias("rate_day"),
        *(F.col(f"{figure}_28d_").alias(f"{figure}_28d_{name}") for figure in ("flights", "late")),
    )
    same = (_key(RATE_KEYS[name]) == F.col("rate_key")) & (F.col("day") == F.col("rate_day"))
    return hours.join(of_name, same, "left").drop("rate_key", "rate_day")


def _flown() -> Column:
    """Tell the aircraft that flew, and the day; nothing when it is unknown."""
    return F.when(F.col("aircraft").isNotNull(), F.struct("day", "aircraft"))


def _until(by_day: WindowSpec) -> WindowSpec:
    """Reach back without end: such a frame grows row by row, a moving one is summed anew."""
    return by_day.rangeBetween(Window.unboundedPreceding, AIRCRAFT_DAYS[1])


def _recent(last: str) -> Column:
    """Take the aircraft if it was flown recently enough."""
    recent = F.col(f"{last}.day") >= F.col("day") + AIRCRAFT_DAYS[0]
    return F.when(recent, F.col(f"{last}.aircraft"))


def _key(columns: Sequence[str]) -> Column:
    return F.concat_ws("/", F.lit(""), *columns)


def _outcomes() -> tuple[Column, Column]:
    return F.count(F.lit(1)).alias("flights"), F.sum("label").alias("late")


def _trailing(name: str, by_day: WindowSpec) -> list[Column]:
    trailing = by_day.rangeBetween(*TRAILING_DAYS)
    return [
        _or_nought(F.sum(figure).over(trailing)).alias(f"{figure}_28d_{name}")
        for figure in ("flights", "late")
    ]


def _or_nought(figure: Column) -> Column:
    return F.coalesce(figure, F.lit(0))
