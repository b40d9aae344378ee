"""What a cutoff sees of the departures before it: windows of the last hours, and the tail's last.

Each departure is told to the cutoffs of the hours after it: sums by group and cutoff need neither
an as-of join nor a sort. It is told for as long as what is known of it changes; of a window that
reaches further back, the rest is a sum over scheduled hours. A departure is also told to its own
hour, where it adds to no window: so every hour that asks has its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F  # noqa: N812 - PySpark's own convention

LEAD_HOURS = 2
"""The decision is made this long before the scheduled hour: the cutoff."""
CANCELLATION_KNOWN_MINUTES = 360
"""The data has no time of cancellation: one counts as known six hours after its schedule."""
LATE_MINUTES = 15
DELAY_LIMITS = (-15, 240)
ARRIVAL_DELAY_LIMITS = (-60, 240)
NEVER = 1_000_000
"""Minutes of delay of a departure that did not take place."""
TAIL_REACH_HOURS = 18
LAST_MINUTE = 59

SETTLING = ("flights", "cancelled", "late", "delay_sum")
"""Figures that change no more once a departure is settled."""
FIGURES = (*SETTLING, "waiting", "landed", "arrival_delay_sum")
SETTLED_HOURS = (max(CANCELLATION_KNOWN_MINUTES, DELAY_LIMITS[1]) + LAST_MINUTE - 1) // 60
"""Later than this many hours after its own, a departure is settled."""
LONG_HOURS = 12
"""Reach of the windows that go further back than that."""


def told_hours(departures: DataFrame) -> DataFrame:
    """Sum what is told to each carrier's hours at an origin; all of an hour lies together."""
    by_carrier = _told(departures, ("carrier", "origin")).groupBy("carrier", "origin", "th")
    sums = by_carrier.agg(
        *_own_hour(),
        *_sums("2h", 2, FIGURES),
        *_sums("4h", 4, FIGURES),
        *_sums("6h", 6, FIGURES),
    )
    return sums.repartition("th")


def carrier_hours(hours: DataFrame) -> DataFrame:
    """Describe a carrier's hour at an origin: departures, its windows there and in the city."""
    everywhere = Window.partitionBy("th", "carrier")
    return hours.select(
        "carrier",
        "origin",
        "th",
        "day",
        F.col("settled_flights").alias("departures_carrier_hour"),
        *(F.col(f"6h_{f}").alias(f"carrier_origin_6h_{f}") for f in FIGURES),
        *_over(everywhere, "4h", "carrier_4h"),
    ).where("departures_carrier_hour > 0")


def origin_hours(hours: DataFrame) -> DataFrame:
    """Describe an origin's hour: departures around it, its windows and the city's."""
    parts = [f"{part}_{figure}" for part in ("2h", "4h", "6h") for figure in FIGURES]
    sums = hours.groupBy("th", "origin").agg(
        F.min("day").alias("day"),
        F.min("local_hour").alias("local_hour"),
        *(F.sum(name).alias(name) for name in (*parts, *(f"settled_{f}" for f in SETTLING))),
    )
    city, by_hour = Window.partitionBy("th"), Window.partitionBy("origin").orderBy("th")
    count = F.sum("settled_flights")
    return (
        sums.select(
            "*", count.over(city).alias("departures_nyc_hour"), *_over(city, "4h", "nyc_4h")
        )
        .where("settled_flights > 0")
        .select(
            "origin",
            "th",
            "day",
            "local_hour",
            "departures_nyc_hour",
            F.col("settled_flights").alias("departures_origin_hour"),
            _or_nought(count.over(by_hour.rangeBetween(-1, -1))).alias(
                "departures_origin_hour_before"
            ),
            _or_nought(count.over(by_hour.rangeBetween(1, 1))).alias(
                "departures_origin_hour_after"
            ),
            *(f"nyc_4h_{f}" for f in FIGURES),
            *(F.col(f"{h}_{f}").alias(f"origin_{h}_{f}") for h in ("2h", "4h") for f in FIGURES),
            *_long(by_hour, "6h", "origin"),
        )
    )


def dest_hours(departures: DataFrame) -> DataFrame:
    """Describe a destination's hour: departures and windows."""
    sums = (
        _told(departures, ("dest",))
        .groupBy("dest", "th")
        .agg(*_own_hour(), *_sums("dest_6h", 6, FIGURES))
    )
    by_hour = Window.partitionBy("dest").orderBy("th")
    return sums.select(
        "dest",
        "th",
        "day",
        F.col("settled_flights").alias("departures_dest_hour"),
        *(f"dest_6h_{figure}" for figure in FIGURES),
        *_long(by_hour, "dest_6h", "dest"),
    ).where("departures_dest_hour > 0")


def with_previous_departure(departures: DataFrame) -> DataFrame:
    """Add the assigned tail's last departure from New York before the cutoff, as seen then."""
    # Departures without a tail number have nothing in common: each is a tail of its own.
    own = F.concat_ws("/", "th", "carrier", "flight")
    departure = F.struct("scheduled", "carrier", "flight", "block", "dep_delay", "arr_delay")
    by_hour = Window.partitionBy("tail").orderBy("th")
    before = by_hour.rangeBetween(-LEAD_HOURS - TAIL_REACH_HOURS, -LEAD_HOURS - 1)
    since = (F.col("th") - LEAD_HOURS) * 60 - F.col("previous.scheduled")
    arrived = F.col("previous.block") + F.col("previous.arr_delay") <= since
    so_far = F.least(F.coalesce(F.col("previous.dep_delay"), F.lit(NEVER)), since)
    delay = F.when(arrived, F.col("previous.arr_delay")).otherwise(so_far)
    return (
        departures.withColumns(
            {
                "tail": F.coalesce("tailnum", own),
                "scheduled": F.col("th") * 60 + F.col("minute"),
            }
        )
        .withColumn("previous", F.max(departure).over(before))
        .withColumns(
            {
                "tail_minutes_since_previous": F.col("scheduled") - F.col("previous.scheduled"),
                "tail_previous_delay": F.when(F.col("previous").isNotNull(), delay),
                "tail_previous_block_minutes": F.col("previous.block"),
            }
        )
        .drop("tail", "scheduled", "previous")
    )


def _told(departures: DataFrame, group: Sequence[str]) -> DataFrame:
    """Tell each departure to its own hour, as it settles, and to those that see it change."""
    ago = F.explode(F.sequence(F.lit(0), F.lit(SETTLED_HOURS))).alias("ago")
    own_hour = ("th", "day", "local_hour", "minute")
    told = departures.select(*group, *own_hour, "block", "dep_delay", "arr_delay", ago)
    own = F.col("ago") == 0
    hour = F.when(own, F.col("th")).otherwise(F.col("th") + F.col("ago") + LEAD_HOURS)
    since = F.when(own, F.lit(NEVER)).otherwise(F.col("ago") * 60 - F.col("minute"))
    seen = (column.alias(figure) for figure, column in _seen(F.col("since")).items())
    return told.withColumn("since", since).select(
        *group, hour.alias("th"), "ago", "day", "local_hour", *seen
    )


def _seen(since: Column) -> dict[str, Column]:
    """Tell one departure ``since`` minutes after its schedule."""
    delay = F.coalesce(F.col("dep_delay"), F.lit(NEVER))
    cancelled = F.col("dep_delay").isNull() & (since >= CANCELLATION_KNOWN_MINUTES)
    so_far = _clip(F.least(delay, since), DELAY_LIMITS)
    landed = F.col("arr_delay").isNotNull() & (F.col("block") + F.col("arr_delay") <= since)
    return {
        "flights": F.lit(1),
        "cancelled": cancelled.cast("int"),
        "late": (~cancelled & (so_far >= LATE_MINUTES)).cast("int"),
        "delay_sum": F.when(~cancelled, so_far),
        "waiting": (~cancelled & (delay > since)).cast("int"),
        "landed": landed.cast("int"),
        "arrival_delay_sum": F.when(landed, _clip(F.col("arr_delay"), ARRIVAL_DELAY_LIMITS)),
    }


def _clip(value: Column, limits: tuple[int, int]) -> Column:
    return F.greatest(F.lit(limits[0]), F.least(F.lit(limits[1]), value))


def _sums(name: str, hours: int, figures: Iterable[str]) -> list[Column]:
    within = F.col("ago").between(1, hours)
    return [F.sum(F.when(within, F.col(f))).alias(f"{name}_{f}") for f in figures]


def _own_hour() -> list[Column]:
    """Sum the departures of the hour itself, all settled, and tell its local time."""
    own = F.col("ago") == 0
    return [
        F.min(F.when(own, F.col("day"))).alias("day"),
        F.min(F.when(own, F.col("local_hour"))).alias("local_hour"),
        *(F.sum(F.when(own, F.col(f))).alias(f"settled_{f}") for f in SETTLING),
    ]


def _over(group: WindowSpec, part: str, name: str) -> list[Column]:
    return [F.sum(f"{part}_{f}").over(group).alias(f"{name}_{f}") for f in FIGURES]


def _long(by_hour: WindowSpec, recent: str, name: str) -> list[Column]:
    """Add up a long window: what was told hour by hour, and the scheduled hours of what settled."""
    reached = by_hour.rangeBetween(-LEAD_HOURS - LONG_HOURS, -LEAD_HOURS - SETTLED_HOURS - 1)
    return [
        (
            _or_nought(F.col(f"{recent}_{figure}"))
            + _or_nought(F.sum(f"settled_{figure}").over(reached))
        ).alias(f"{name}_{LONG_HOURS}h_{figure}")
        for figure in SETTLING
    ]


def _or_nought(figure: Column) -> Column:
    return F.coalesce(figure, F.lit(0))
