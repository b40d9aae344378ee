"""Aggregates for people and dashboards: how departures went, by route, carrier, hour and day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

LATE_MINUTES = 15


def build_tables(
    sources: Mapping[str, DataFrame], keep: Callable[[DataFrame], DataFrame]
) -> dict[str, DataFrame]:
    """Make the tables that ``analytics.yaml`` declares of the sources' valid records."""
    departures = keep(_departures(sources["flights"]))
    return {
        "delay_by_route": _by(departures, ("origin", "dest")),
        "delay_by_carrier": _by(departures, ("carrier", "month")),
        "delay_by_hour": _by(departures, ("origin", "hour")),
        "delay_by_day": _by(departures, ("origin", "date")),
    }


def _departures(flights: DataFrame) -> DataFrame:
    date = F.make_date("year", "month", "day")
    late = F.col("arr_delay").isNull() | (F.col("arr_delay") >= LATE_MINUTES)
    return flights.select(
        "carrier",
        "origin",
        "dest",
        "hour",
        F.date_format(date, "yyyy-MM").alias("month"),
        F.date_format(date, "yyyy-MM-dd").alias("date"),
        late.cast("long").alias("late"),
        F.col("dep_delay").isNull().cast("long").alias("cancelled"),
        "dep_delay",
        "arr_delay",
    )


def _by(departures: DataFrame, key: Sequence[str]) -> DataFrame:
    count = F.count(F.lit(1))
    return departures.groupBy(*key).agg(
        count.alias("departures"),
        _share("late", count).alias("late_share"),
        _share("cancelled", count).alias("cancelled_share"),
        _mean("dep_delay").alias("mean_departure_delay"),
        _mean("arr_delay").alias("mean_arrival_delay"),
    )


def _share(name: str, count: Column) -> Column:
    return F.round(F.sum(name) / count, 6)


def _mean(name: str) -> Column:
    """Mean of whole minutes: their sum is exact in any order."""
    return F.round(F.sum(name) / F.count(name), 4)
