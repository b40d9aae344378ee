"""Joins and point-in-time aggregates in Spark: a row a departure, as seen two hours ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from pipeline_code.use_case import Field, load_use_case
from use_cases.flight_delays.before_cutoff import (
    LEAD_HOURS,
    carrier_hours,
    dest_hours,
    origin_hours,
    told_hours,
    with_previous_departure,
)
from use_cases.flight_delays.departures import departures
from use_cases.flight_delays.observations import weather_by_hour
from use_cases.flight_delays.trailing import (
    ROUTE,
    daily_rates,
    route_days,
    with_flight_number,
    with_rate,
)

Keep = Callable[[DataFrame], DataFrame]


def build_snapshots(sources: Mapping[str, DataFrame], keep: Keep) -> DataFrame:
    """Join the sources into a row a departure: identity, label, and what ``inputs.yaml`` lists.

    What looks back along one key is a window over the departures themselves; the rest are tables
    by hour or day, joined with one another first: each join copies the columns of those before it.
    """
    flights = keep(departures(sources["flights"], sources["airports"], sources["aircraft"]))
    rates = keep(daily_rates(flights))
    hours = told_hours(flights)
    carriers = with_rate(carrier_hours(hours), rates, "carrier")
    origins = with_rate(with_rate(origin_hours(hours), rates, "nyc"), rates, "origin_hour")
    observed = weather_by_hour(sources["weather"], LEAD_HOURS)
    parts: tuple[tuple[DataFrame, Sequence[str]], ...] = (
        (route_days(flights), (*ROUTE, "day")),
        (with_rate(dest_hours(flights), rates, "dest").drop("day"), ("dest", "th")),
        (carriers.drop("day"), ("carrier", "origin", "th")),
        (
            origins.drop("day", "local_hour").join(observed, ["origin", "th"], "left"),
            ("origin", "th"),
        ),
    )
    joined = with_flight_number(with_previous_departure(flights))
    for part, key in parts:
        joined = joined.join(part, list(key), "left")
    return _inputs(joined)


def _inputs(joined: DataFrame) -> DataFrame:
    """Name the columns as ``inputs.yaml`` does; a window that saw no departure counts nought."""
    hour = F.timestamp_seconds(F.col("th").cast("long") * 3600)
    identity = F.concat_ws(
        "/", F.date_format(hour, "yyyy-MM-dd'T'HH:mm:ss'Z'"), "carrier", F.col("flight")
    )
    date = F.date_from_unix_date("day").cast("string")
    named = {
        "scheduled_departure": F.concat(
            date, F.lit("T"), _two_digits("local_hour"), F.lit(":"), _two_digits("minute")
        ),
        "block_minutes": F.col("block"),
        "distance_miles": F.col("distance"),
        "aircraft_year_built": _aircraft("year_built"),
        "aircraft_seats": _aircraft("seats"),
        "aircraft_engines": _aircraft("engines"),
        "aircraft_manufacturer": _aircraft("manufacturer"),
    }
    return joined.select(
        identity.alias("entity_id"),
        F.timestamp_seconds((F.col("th").cast("long") - LEAD_HOURS) * 3600).alias("event_time"),
        F.substring(date, 1, 7).alias("period"),
        F.col("label").cast("byte").alias("label"),
        *(_input(group, field, named) for group, field in _input_fields()),
    )


def _input_fields() -> Iterator[tuple[str, Field]]:
    for group, fields in load_use_case("flight_delays").inputs.items():
        for field in fields.values():
            yield group, field


def _input(group: str, field: Field, named: Mapping[str, Column]) -> Column:
    column = named.get(field.name, F.col(field.name))
    counts = group == "network" and not field.nullable
    return (F.coalesce(column, F.lit(0)) if counts else column).alias(field.name)


def _two_digits(name: str) -> Column:
    return F.lpad(F.col(name).cast("string"), 2, "0")


def _aircraft(attribute: str) -> Column:
    """Of the flight number's last aircraft; of the route's, where that says nothing."""
    return F.coalesce(F.col(f"number_aircraft.{attribute}"), F.col(f"route_aircraft.{attribute}"))
