"""Row-level formulas from inputs to features, the same in Spark, in the endpoint and in tests.

What formulas are written with stands in ``pipeline_code/formulas/vocabulary.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pipeline_code.formulas.vocabulary import (
    NOTHING,
    Formula,
    Inputs,
    Number,
    by_value,
    clip,
    code,
    cos,
    known,
    maximum,
    radians,
    ratio,
    sin,
    where,
)
from pipeline_code.use_case import load_use_case

USE_TAIL_ROTATION = True
"""Features of the assigned aircraft's previous departure. The data holds the aircraft *as flown*:
a swap within the last two hours is hindsight. AUC of the reference: .7493 with, .7395 without."""

HOLIDAYS = [
    date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()
    for text in (
        "2013-01-01", "2013-01-21", "2013-02-18", "2013-05-27", "2013-07-04", "2013-09-02",
        "2013-10-14", "2013-11-11", "2013-11-28", "2013-12-25", "2014-01-01",
    )
]  # fmt: skip
"""Federal holidays of the United States around 2013, in days since 1970."""
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


def formulas(inputs: Inputs) -> dict[str, Formula]:
    """Say how each feature follows from the inputs (``inputs.yaml``) of its row."""
    found = {**_schedule(inputs), **_weather(inputs), **_aircraft(inputs)}
    for window, figures in WINDOWS.items():
        found |= _window(inputs, window, figures)
    if USE_TAIL_ROTATION:
        found |= _tail(inputs)
    return found


def _schedule(inputs: Inputs) -> dict[str, Formula]:
    departure = inputs.moment("scheduled_departure")
    found: dict[str, Formula] = {
        "carrier_code": code(inputs.text("carrier"), CATEGORIES["carrier_code"]),
        "origin_code": code(inputs.text("origin"), CATEGORIES["origin_code"]),
        "dest_code": code(inputs.text("dest"), CATEGORIES["dest_code"]),
        "scheduled_minute": departure.minute_of_day,
        "day_of_week": departure.day_of_week,
        "block_minutes": inputs["block_minutes"],
        "distance_miles": inputs["distance_miles"],
        "holiday_offset_days": by_value(_holiday_offset, departure.day),
    }
    found |= {name: inputs[name] for name in COUNTS}
    overall = ratio(inputs["late_28d_nyc"], inputs["flights_28d_nyc"])
    found["late_rate_28d_nyc"] = overall
    for key in RATE_KEYS:
        late, flights = inputs[f"late_28d_{key}"], inputs[f"flights_28d_{key}"]
        found[f"late_rate_28d_{key}"] = (late + SHRINKAGE * overall) / (flights + SHRINKAGE)
    return found


def _holiday_offset(day: float) -> float:
    """Count signed days to the nearest holiday, the earlier one on a tie."""
    nearest = min((day - holiday for holiday in HOLIDAYS), key=abs)
    return max(-HOLIDAY_REACH_DAYS, min(nearest, HOLIDAY_REACH_DAYS))


def _weather(inputs: Inputs) -> dict[str, Formula]:
    direction = radians(inputs["wind_direction_deg"])
    speed, temperature = inputs["wind_speed_mph"], inputs["temperature_f"]
    freezing = (temperature <= FREEZING_F) & (inputs["precipitation_3h_in"] > 0)
    return {
        **{name: inputs[name] for name in (*OBSERVED, *OBSERVED_AROUND)},
        "wind_u_mph": speed * sin(direction),
        "wind_v_mph": speed * cos(direction),
        "dew_point_spread_f": temperature - inputs["dew_point_f"],
        "pressure_change_3h_hpa": inputs["pressure_hpa"] - inputs["pressure_3h_ago_hpa"],
        "temperature_change_3h_f": temperature - inputs["temperature_3h_ago_f"],
        "freezing_precipitation": where(known(temperature), freezing, NOTHING),
        "local_hour": inputs.moment("scheduled_departure").minute_of_day // 60,
    }


def _aircraft(inputs: Inputs) -> dict[str, Formula]:
    year = by_value(_year, inputs.moment("scheduled_departure").day)
    return {
        "aircraft_age_years": year - inputs["aircraft_year_built"],
        "aircraft_seats": inputs["aircraft_seats"],
        "aircraft_engines": inputs["aircraft_engines"],
        "aircraft_manufacturer_code": by_value(
            _manufacturer_code, inputs.text("aircraft_manufacturer")
        ),
        "aircraft_known": known(inputs["aircraft_seats"]),
    }


def _year(day: float) -> float:
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(day)).year


def _manufacturer_code(registered: str | None) -> float:
    """Find the manufacturer in what the register says, e.g. ``AIRBUS INDUSTRIE``."""
    return MANUFACTURERS.index(_manufacturer(registered))


def _manufacturer(registered: str | None) -> str:
    if not registered:
        return "UNKNOWN"
    marks = (name for mark, name in MANUFACTURER_MARKS if mark in registered.upper())
    return next(marks, "OTHER")


def _window(inputs: Inputs, window: str, figures: tuple[str, ...]) -> dict[str, Formula]:
    """Tell a window of departures in rates; one without a departure tells nothing."""
    counted = inputs[f"{window}_flights"]
    flights = where(counted > 0, counted, NOTHING)
    cancelled, late = inputs[f"{window}_cancelled"], inputs[f"{window}_late"]
    found: dict[str, Number] = {
        "flights": flights,
        "bad_rate": (late + cancelled) / flights,
        "cancel_rate": cancelled / flights,
    }
    if "delay" in figures:
        found["delay"] = ratio(inputs[f"{window}_delay_sum"], flights - cancelled)
    if "backlog" in figures:
        found["backlog"] = where(known(flights), inputs[f"{window}_waiting"], NOTHING)
    if "arrival_delay" in figures:
        found["arrival_delay"] = ratio(
            inputs[f"{window}_arrival_delay_sum"], inputs[f"{window}_landed"]
        )
    return {f"{window}_{figure}": found[figure] for figure in figures}


def _tail(inputs: Inputs) -> dict[str, Formula]:
    gap = inputs["tail_minutes_since_previous"]
    delay = clip(inputs["tail_previous_delay"], *TAIL_DELAY_LIMITS)
    # The aircraft flies out and back: two blocks, two turnarounds, and the delay that it has.
    round_trip = 2 * (inputs["tail_previous_block_minutes"] + TURNAROUND_MINUTES)
    return {
        "tail_previous_hours": gap / 60,
        "tail_previous_delay": delay,
        "tail_slack_minutes": gap - round_trip - maximum(delay, 0),
    }
