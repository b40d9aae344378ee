"""Row features of the use case flight_delays: each value by hand, each row on its own."""

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline_code.formulas.rows import RowCode
from pipeline_code.use_case import load_use_case

USE_CASE = load_use_case("flight_delays")
FEATURES = USE_CASE.features()


def instance() -> dict:
    """A full request; integers 1 and numbers 10 unless a test says otherwise."""
    made = {}
    for group, fields in USE_CASE.inputs.items():
        made[group] = {n: {"integer": 1, "number": 10.0}.get(f.type) for n, f in fields.items()}
    made["schedule"] |= {
        "scheduled_departure": "2013-07-05T17:35",
        "carrier": "UA",
        "origin": "JFK",
        "dest": "SFO",
    }
    made["network"] |= {"aircraft_manufacturer": "AIRBUS INDUSTRIE", "aircraft_year_built": 2001.0}
    return made


def features_of(*instances: dict) -> dict[str, np.ndarray]:
    return FEATURES.row_features(USE_CASE.columns(instances))


def one(changes: dict[str, dict], feature: str) -> float:
    request = instance()
    for group, values in changes.items():
        request[group] |= values
    return float(features_of(request)[feature][0])


def test_there_are_82_features_and_none_knows_the_month():
    names = [name for group in FEATURES.FEATURES.values() for name in group]
    assert len(names) == len(set(names)) == 82
    july, august = instance(), instance()
    august["schedule"]["scheduled_departure"] = "2013-08-09T17:35"  # a Friday, too
    a, b = features_of(july), features_of(august)
    changed = [n for n in names if not np.array_equal(a[n], b[n], equal_nan=True)]
    assert changed == ["holiday_offset_days"]


@pytest.mark.parametrize(
    ("changes", "feature", "value"),
    [
        ({}, "scheduled_minute", 17 * 60 + 35),
        ({}, "day_of_week", 4),
        ({}, "holiday_offset_days", 1),
        ({"schedule": {"scheduled_departure": "2013-12-31T06:00"}}, "holiday_offset_days", -1),
        ({"schedule": {"scheduled_departure": "2013-04-10T06:00"}}, "holiday_offset_days", -7),
        ({}, "origin_code", 1),
        ({"schedule": {"dest": "ZZZ"}}, "dest_code", -1),
        ({"schedule": {"late_28d_nyc": 30, "flights_28d_nyc": 100}}, "late_rate_28d_nyc", 0.3),
        (
            {
                "schedule": {
                    "late_28d_nyc": 30,
                    "flights_28d_nyc": 100,
                    "late_28d_dest": 4,
                    "flights_28d_dest": 5,
                }
            },
            "late_rate_28d_dest",
            (4 + 20 * 0.3) / 25,
        ),
        ({"weather": {"wind_direction_deg": 90.0, "wind_speed_mph": 8.0}}, "wind_u_mph", 8),
        ({"weather": {"temperature_f": 34.0}}, "freezing_precipitation", 1),
        ({"weather": {"temperature_f": 35.0}}, "freezing_precipitation", 0),
        ({"weather": {"precipitation_3h_in": 0.0}}, "freezing_precipitation", 0),
        ({"weather": {"pressure_3h_ago_hpa": 8.0}}, "pressure_change_3h_hpa", 2),
        ({}, "local_hour", 17),
        ({}, "aircraft_age_years", 12),
        ({}, "aircraft_manufacturer_code", 0),
        ({"network": {"aircraft_manufacturer": "Canadair"}}, "aircraft_manufacturer_code", 3),
        ({"network": {"aircraft_manufacturer": "CESSNA"}}, "aircraft_manufacturer_code", 5),
        ({"network": {"aircraft_manufacturer": None}}, "aircraft_manufacturer_code", 6),
        ({"network": {"aircraft_seats": None}}, "aircraft_known", 0),
        (
            {"network": {"origin_2h_flights": 8, "origin_2h_cancelled": 2, "origin_2h_late": 3}},
            "origin_2h_bad_rate",
            5 / 8,
        ),
        (
            {
                "network": {
                    "origin_2h_flights": 8,
                    "origin_2h_cancelled": 2,
                    "origin_2h_delay_sum": 90,
                }
            },
            "origin_2h_delay",
            15,
        ),
        (
            {
                "network": {
                    "tail_minutes_since_previous": 600,
                    "tail_previous_delay": 50,
                    "tail_previous_block_minutes": 100,
                }
            },
            "tail_slack_minutes",
            600 - 200 - 80 - 50,
        ),
        ({"network": {"tail_previous_delay": 999}}, "tail_previous_delay", 240),
    ],
)
def test_value_by_hand(changes, feature, value):
    assert one(changes, feature) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "feature"),
    [
        ({"schedule": {"flights_28d_nyc": 0, "late_28d_nyc": 0}}, "late_rate_28d_carrier"),
        ({"weather": {"temperature_f": None}}, "freezing_precipitation"),
        ({"network": {"origin_4h_flights": 0}}, "origin_4h_flights"),
        ({"network": {"origin_4h_flights": 0, "origin_4h_waiting": 0}}, "origin_4h_backlog"),
        ({"network": {"origin_4h_landed": 0}}, "origin_4h_arrival_delay"),
        ({"network": {"origin_4h_flights": 2, "origin_4h_cancelled": 2}}, "origin_4h_delay"),
        ({"network": {"tail_minutes_since_previous": None}}, "tail_previous_hours"),
    ],
)
def test_nothing_to_tell_is_nan(changes, feature):
    assert np.isnan(one(changes, feature))


def test_a_missing_source_leaves_its_features_missing_and_the_others_alone():
    whole, without = instance(), instance()
    without["weather"] = None
    without.pop("network")
    a, b = features_of(whole), features_of(without)

    for name in FEATURES.FEATURES["schedule"]:
        assert a[name][0] == b[name][0]
    told = {"local_hour", "aircraft_known", "aircraft_manufacturer_code"}
    missing = {*FEATURES.FEATURES["weather"], *FEATURES.FEATURES["network"]} - told
    assert [n for n in missing if not np.isnan(b[n][0])] == []


def test_a_row_is_the_same_alone_and_among_others():
    rng = np.random.default_rng(7)
    rows = [random_instance(rng) for _ in range(257)]
    together = features_of(*rows)
    for i, row in enumerate(rows):
        alone = features_of(row)
        changed = [n for n, v in together.items() if v[i].tobytes() != alone[n][0].tobytes()]
        assert changed == []


def random_instance(rng: np.random.Generator) -> dict:
    made = instance()
    for group, fields in USE_CASE.inputs.items():
        for name, field in fields.items():
            if field.type == "number":
                made[group][name] = float(rng.uniform(0, 360))
            elif field.type == "integer":
                made[group][name] = int(rng.integers(0, 50))
    return made


def test_types_are_codes_or_single_precision():
    for name, values in features_of(instance()).items():
        assert values.dtype == (np.int16 if name in FEATURES.CATEGORIES else np.float32), name


def test_a_row_alone_gives_the_bits_that_columns_give():
    rng = np.random.default_rng(11)
    rows = [with_gaps(random_instance(rng), rng) for _ in range(300)]
    together = features_of(*rows)
    groups = {name: dict.fromkeys(fields) for name, fields in USE_CASE.inputs.items()}
    code = RowCode(groups, list(FEATURES.formulas.values()))
    values = ", ".join(code.value(place) for place in range(len(FEATURES.formulas)))
    lines = [*code.lines, f"return [{values}]"]
    names = dict(code.names)
    exec(f"def row({', '.join(groups)}):\n" + "".join(f"    {o}\n" for o in lines), names)  # noqa: S102

    for place, row in enumerate(rows):
        given = {name: SimpleNamespace(**{**groups[name], **(row[name] or {})}) for name in groups}
        alone = np.array(names["row"](**given), dtype=np.float64).astype(np.float32)
        expected = np.array([together[name][place] for name in FEATURES.formulas], np.float32)
        assert np.array_equal(alone, expected, equal_nan=True)


def with_gaps(made: dict, rng: np.random.Generator) -> dict:
    for group, fields in USE_CASE.inputs.items():
        for name, field in fields.items():
            if field.nullable and rng.random() < 0.2:
                made[group][name] = None
    made["schedule"]["scheduled_departure"] = str(
        np.datetime64("2012-12-20T00:00") + rng.integers(0, 400 * 1440)
    )
    for group in ("weather", "network"):
        if rng.random() < 0.1:
            made[group] = None
    return made
