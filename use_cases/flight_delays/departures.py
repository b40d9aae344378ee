"""Departures as every later step takes them: scheduled hour, block time, label, aircraft flown."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

LATE_MINUTES = 15
CARIBBEAN = ("BQN", "PSE", "SJU", "STT")
"""Airports that the airports table lacks; all keep Puerto Rico's time."""
CARIBBEAN_ZONE = "America/Puerto_Rico"
HOME_ZONE = "America/New_York"
MINUTES_OF_DAY = 24 * 60


def departures(flights: DataFrame, airports: DataFrame, aircraft: DataFrame) -> DataFrame:
    """Departures with scheduled hour ``th`` (UTC, hours), local ``day`` (days), label, aircraft."""
    zone = F.when(F.col("dest").isin(*CARIBBEAN), CARIBBEAN_ZONE).otherwise(F.col("tzone"))
    departure = F.col("hour") * 60 + F.col("minute")
    arrival = F.floor(F.col("sched_arr_time") / 100) * 60 + F.col("sched_arr_time") % 100
    not_on_time = F.col("arr_delay").isNull() | (F.col("arr_delay") >= LATE_MINUTES)
    zones = airports.select(F.col("faa").alias("dest"), "tzone")
    dated = flights.withColumn("date", F.make_date("year", "month", "day"))
    return (
        dated.join(F.broadcast(zones), "dest", "left")
        .withColumn("zone", zone)
        .join(F.broadcast(_shifts(dated, airports)), ["date", "zone"], "left")
        .join(F.broadcast(_register(aircraft)), "tailnum", "left")
        .select(
            "carrier",
            F.col("flight").cast("int"),
            "origin",
            "dest",
            "tailnum",
            F.col("minute").cast("int"),
            F.col("hour").cast("int").alias("local_hour"),
            F.unix_date("date").alias("day"),
            hours_of(F.col("time_hour")).alias("th"),
            F.pmod(arrival - departure - F.col("shift"), F.lit(MINUTES_OF_DAY))
            .cast("int")
            .alias("block"),
            "distance",
            F.col("dep_delay").cast("int"),
            F.col("arr_delay").cast("int"),
            not_on_time.cast("int").alias("label"),
            "aircraft",
        )
    )


def hours_of(time: Column) -> Column:
    """Whole hours since 1970 of a timestamp at a full hour."""
    return (F.unix_timestamp(time) / 3600).cast("int")


def _shifts(dated: DataFrame, airports: DataFrame) -> DataFrame:
    """Minutes that each zone's clock is ahead of home, by date: zone rules are slow to ask."""
    zones = airports.select(F.explode(F.array("tzone", F.lit(CARIBBEAN_ZONE))).alias("zone"))
    days = dated.select("date").distinct().crossJoin(F.broadcast(zones.distinct()))
    shift = _utc_offset_minutes(F.col("zone")) - _utc_offset_minutes(F.lit(HOME_ZONE))
    return days.where(F.col("zone").isNotNull()).select("date", "zone", shift.alias("shift"))


def _utc_offset_minutes(zone: Column) -> Column:
    """Offset of a zone at local noon of ``date``."""
    noon = F.unix_timestamp(F.col("date").cast("timestamp")) + 12 * 3600
    as_utc = F.unix_timestamp(F.to_utc_timestamp(F.timestamp_seconds(noon), zone))
    return (noon - as_utc) / 60


def _register(aircraft: DataFrame) -> DataFrame:
    known = F.struct(F.col("year").alias("year_built"), "seats", "engines", "manufacturer")
    return aircraft.select("tailnum", known.alias("aircraft"))
