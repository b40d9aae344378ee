"""Row-level transforms from inputs to features: Spark, the endpoint and the tests call these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_code.use_case import load_use_case

Array = NDArray[Any]

USE_TAIL_ROTATION = True
"""Features of the assigned aircraft's previous departure. The data holds the aircraft *as flown*:
a swap within the last two hours is hindsight. AUC of the reference: .7493 with, .7395 without."""

HOLIDAYS = np.array(
    [
        "2013-01-01", "2013-01-21", "2013-02-18", "2013-05-27", "2013-07-04", "2013-09-02",
        "2013-10-14", "2013-11-11", "2013-11-28", "2013-12-25", "2014-01-01",
    ],
    dtype="datetime64[D]",
)  # fmt: skip
"""Federal holidays of the United States around 2013."""
HOLIDAY_REACH_DAYS = 7

MANUFACTURERS = ("AIRBUS", "BOEING", "EMBRAER", "BOMBARDIER", "MCDONNELL", "OTHER", "UNKNOWN")
MANUFACTURER_MARKS = (
    ("AIRBUS", "AIRBUS"),
    ("BOEING", "BOEING"),
    ("EMBRAER", "EMBRAER"),
    ("BOMBARDIER", "BOMBARDIER"),
    ("CANADAIR", "BOMBARDIER"),
    ("MCDONNELL", "MCDONNELL"),
    ("DOUGLAS", "MCDONNELL"),
)
"""A text within the registered manufacturer, and whom it stands for; the first match counts."""

SHRINKAGE = 20
"""Flights of the overall rate that a trailing rate is mixed with: rare keys stay near it."""
FREEZING_F = 34
TURNAROUND_MINUTES = 40
TAIL_DELAY_LIMITS = (-30, 240)

RATE_KEYS = ("carrier", "dest", "route_carrier", "origin_hour", "flight_number")
COUNTS = (
    "departures_origin_hour_before",
    "departures_origin_hour",
    "departures_origin_hour_after",
    "departures_nyc_hour",
    "departures_carrier_hour",
    "departures_dest_hour",
    "departures_route_day",
)
OBSERVED = (
    "temperature_f",
    "humidity_pct",
    "wind_speed_mph",
    "wind_gust_mph",
    "precipitation_in",
    "pressure_hpa",
    "visibility_mi",
)
OBSERVED_AROUND = (
    "precipitation_3h_in",
    "visibility_min_3h_mi",
    "wind_gust_max_3h_mph",
    "nyc_precipitation_max_in",
    "nyc_visibility_min_mi",
    "nyc_wind_speed_max_mph",
    "nyc_wind_gust_max_mph",
    "nyc_humidity_mean_pct",
)
WINDOWS: Mapping[str, tuple[str, ...]] = {
    "origin_2h": ("delay", "bad_rate", "backlog"),
    "origin_4h": ("flights", "delay", "bad_rate", "cancel_rate", "backlog", "arrival_delay"),
    "origin_12h": ("delay", "bad_rate", "cancel_rate"),
    "nyc_4h": ("delay", "bad_rate", "cancel_rate", "backlog", "arrival_delay"),
    "carrier_4h": ("delay", "bad_rate", "cancel_rate", "arrival_delay"),
    "carrier_origin_6h": ("delay", "bad_rate", "backlog"),
    "dest_6h": ("flights", "delay", "bad_rate", "cancel_rate", "arrival_delay"),
    "dest_12h": ("bad_rate", "cancel_rate"),
}
"""What is told of each window of departures before the cutoff."""
TAIL = ("tail_previous_hours", "tail_previous_delay", "tail_slack_minutes")

_INPUTS = load_use_case("flight_delays").inputs["schedule"]
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "carrier_code": _INPUTS["carrier"].allowed,
    "origin_code": _INPUTS["origin"].allowed,
    "dest_code": _INPUTS["dest"].allowed,
    "aircraft_manufacturer_code": MANUFACTURERS,
}
"""Vocabulary of each categorical feature: the code is the place in it, -1 for what it lacks."""

FEATURES: Mapping[str, tuple[str, ...]] = {
    "schedule": (
        "carrier_code",
        "origin_code",
        "dest_code",
        "scheduled_minute",
        "day_of_week",
        "block_minutes",
        "distance_miles",
        "holiday_offset_days",
        *COUNTS,
        "late_rate_28d_nyc",
        *(f"late_rate_28d_{key}" for key in RATE_KEYS),
    ),
    "weather": (
        *OBSERVED,
        "wind_u_mph",
        "wind_v_mph",
        "dew_point_spread_f",
        *OBSERVED_AROUND[:3],
        "pressure_change_3h_hpa",
        "temperature_change_3h_f",
        "freezing_precipitation",
        *OBSERVED_AROUND[3:],
        "local_hour",
    ),
    "network": (
        "aircraft_age_years",
        "aircraft_seats",
        "aircraft_engines",
        "aircraft_manufacturer_code",
        "aircraft_known",
        *(f"{window}_{figure}" for window, figures in WINDOWS.items() for figure in figures),
        *(TAIL if USE_TAIL_ROTATION else ()),
    ),
}
"""Names of the features, by the source that they come from."""


def row_features(columns: Mapping[str, Array]) -> dict[str, Array]:
    """Turn columns of inputs (``inputs.yaml``) into features, each row on its own.

    Text and datetimes come as object arrays of ``str | None``, numbers as float64, NaN for null.
    Categoricals go out as int16 codes, all else as float32 with NaN for what is missing.
    """
    found = {**_schedule(columns), **_weather(columns), **_aircraft(columns)}
    for window, figures in WINDOWS.items():
        found |= _window(columns, window, figures)
    if USE_TAIL_ROTATION:
        found |= _tail(columns)
    return {
        name: found[name].astype(np.int16 if name in CATEGORIES else np.float32)
        for group in FEATURES.values()
        for name in group
    }


def _schedule(columns: Mapping[str, Array]) -> dict[str, Array]:
    departure = columns["scheduled_departure"].astype("datetime64[m]")
    day = departure.astype("datetime64[D]")
    found = {
        "carrier_code": _codes(columns["carrier"], CATEGORIES["carrier_code"]),
        "origin_code": _codes(columns["origin"], CATEGORIES["origin_code"]),
        "dest_code": _codes(columns["dest"], CATEGORIES["dest_code"]),
        "scheduled_minute": (departure - day).astype(np.int64),
        "day_of_week": (day.astype(np.int64) + 3) % 7,  # 1970-01-01 was a Thursday
        "block_minutes": columns["block_minutes"],
        "distance_miles": columns["distance_miles"],
        "holiday_offset_days": _holiday_offset(day),
    }
    found |= {name: columns[name] for name in COUNTS}
    overall = _ratio(columns["late_28d_nyc"], columns["flights_28d_nyc"])
    found["late_rate_28d_nyc"] = overall
    for key in RATE_KEYS:
        late, flights = columns[f"late_28d_{key}"], columns[f"flights_28d_{key}"]
        found[f"late_rate_28d_{key}"] = (late + SHRINKAGE * overall) / (flights + SHRINKAGE)
    return found


def _holiday_offset(day: Array) -> Array:
    """Count signed days to the nearest holiday, the earlier one on a tie."""
    offsets = (day[:, None] - HOLIDAYS[None, :]).astype(np.int64)
    nearest = np.abs(offsets).argmin(axis=1)
    offset: Array = offsets[np.arange(len(day)), nearest]
    return offset.clip(-HOLIDAY_REACH_DAYS, HOLIDAY_REACH_DAYS)


def _weather(columns: Mapping[str, Array]) -> dict[str, Array]:
    departure = columns["scheduled_departure"].astype("datetime64[m]")
    direction = np.deg2rad(columns["wind_direction_deg"])
    temperature, rain = columns["temperature_f"], columns["precipitation_3h_in"]
    found = {name: columns[name] for name in (*OBSERVED, *OBSERVED_AROUND)}
    found["wind_u_mph"] = columns["wind_speed_mph"] * np.sin(direction)
    found["wind_v_mph"] = columns["wind_speed_mph"] * np.cos(direction)
    found["dew_point_spread_f"] = temperature - columns["dew_point_f"]
    found["pressure_change_3h_hpa"] = columns["pressure_hpa"] - columns["pressure_3h_ago_hpa"]
    found["temperature_change_3h_f"] = temperature - columns["temperature_3h_ago_f"]
    found["freezing_precipitation"] = np.where(
        np.isnan(temperature), np.nan, (temperature <= FREEZING_F) & (rain > 0)
    )
    day = departure.astype("datetime64[D]")
    found["local_hour"] = (departure - day).astype(np.int64) // 60
    return found


def _aircraft(columns: Mapping[str, Array]) -> dict[str, Array]:
    year = columns["scheduled_departure"].astype("datetime64[Y]").astype(np.int64) + 1970
    known = ~np.isnan(columns["aircraft_seats"])
    return {
        "aircraft_age_years": year - columns["aircraft_year_built"],
        "aircraft_seats": columns["aircraft_seats"],
        "aircraft_engines": columns["aircraft_engines"],
        "aircraft_manufacturer_code": _codes(
            _manufacturer(columns["aircraft_manufacturer"]), MANUFACTURERS
        ),
        "aircraft_known": known,
    }


def _manufacturer(registered: Array) -> Array:
    """Find the manufacturer in what the register says, e.g. ``AIRBUS INDUSTRIE``."""
    names, places = np.unique(_text(registered), return_inverse=True)
    return np.array([_manufacturer_name(str(name)) for name in names], dtype=object)[places]


def _manufacturer_name(registered: str) -> str:
    if not registered:
        return "UNKNOWN"
    marks = (name for mark, name in MANUFACTURER_MARKS if mark in registered.upper())
    return next(marks, "OTHER")


def _window(
    columns: Mapping[str, Array], window: str, figures: tuple[str, ...]
) -> dict[str, Array]:
    """Tell a window of departures in rates; one without a departure tells nothing (NaN)."""
    flights = columns[f"{window}_flights"]
    flights = np.where(flights > 0, flights, np.nan)
    cancelled, late = columns[f"{window}_cancelled"], columns[f"{window}_late"]
    found = {
        "flights": flights,
        "bad_rate": (late + cancelled) / flights,
        "cancel_rate": cancelled / flights,
    }
    if "delay" in figures:
        found["delay"] = _ratio(columns[f"{window}_delay_sum"], flights - cancelled)
    if "backlog" in figures:
        found["backlog"] = np.where(np.isnan(flights), np.nan, columns[f"{window}_waiting"])
    if "arrival_delay" in figures:
        found["arrival_delay"] = _ratio(
            columns[f"{window}_arrival_delay_sum"], columns[f"{window}_landed"]
        )
    return {f"{window}_{figure}": found[figure] for figure in figures}


def _tail(columns: Mapping[str, Array]) -> dict[str, Array]:
    gap = columns["tail_minutes_since_previous"]
    delay = np.clip(columns["tail_previous_delay"], *TAIL_DELAY_LIMITS)
    # The aircraft flies out and back: two blocks, two turnarounds, and the delay that it has.
    round_trip = 2 * (columns["tail_previous_block_minutes"] + TURNAROUND_MINUTES)
    return {
        "tail_previous_hours": gap / 60,
        "tail_previous_delay": delay,
        "tail_slack_minutes": gap - round_trip - np.maximum(delay, 0),
    }


def _ratio(part: Array, whole: Array) -> Array:
    """Divide; NaN where there is nothing to divide by."""
    return part / np.where(whole > 0, whole, np.nan)


def _codes(values: Array, vocabulary: tuple[str, ...]) -> Array:
    """Place of each text in the vocabulary, -1 for one that it lacks."""
    names = np.array(vocabulary)
    order = np.argsort(names)
    text = _text(values)
    place = order[np.minimum(np.searchsorted(names, text, sorter=order), len(names) - 1)]
    return np.where(names[place] == text, place, -1)


def _text(values: Array) -> Array:
    """Texts as a numpy text array, null as an empty one."""
    return np.where(values == None, "", values).astype(str)  # noqa: E711 - elementwise
