"""Weather as the cutoffs see it: the last observations before each, gaps filled from the past."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

from use_cases.flight_delays.departures import hours_of

OBSERVATION_LAG_HOURS = 1
"""The observation labelled h is made at about h:51: the cutoff sees the one labelled before."""
GAP_HOURS = 2
"""A gap in the weather is filled from up to this many hours before, never from after."""
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


def weather_by_hour(weather: DataFrame, lead_hours: int) -> DataFrame:
    """Observations by origin and the scheduled hour ``th`` whose cutoff sees them last."""
    hours = hours_of(F.col("time_hour")).alias("observed")
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
    seen_by = F.col("observed") + lead_hours + OBSERVATION_LAG_HOURS
    around = filled.select("*", *_last_hours(by_hour), seen_by.alias("th")).drop("observed")
    return around.select("*", *_city(Window.partitionBy("th")))


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


def _city(same_hour: WindowSpec) -> list[Column]:
    # Sorted before they are added: the mean is the same to the last bit in any order.
    humid = F.sort_array(F.collect_list("humidity_pct").over(same_hour))
    total = F.aggregate(humid, F.lit(0.0), lambda sum_, value: sum_ + value)
    return [
        F.max("precipitation_in").over(same_hour).alias("nyc_precipitation_max_in"),
        F.min("visibility_mi").over(same_hour).alias("nyc_visibility_min_mi"),
        F.max("wind_speed_mph").over(same_hour).alias("nyc_wind_speed_max_mph"),
        F.max("wind_gust_mph").over(same_hour).alias("nyc_wind_gust_max_mph"),
        F.when(F.size(humid) > 0, total / F.size(humid)).alias("nyc_humidity_mean_pct"),
    ]
