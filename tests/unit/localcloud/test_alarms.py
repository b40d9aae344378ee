"""Alarms as CloudWatch evaluates them: M of N periods, missing data, one metric each."""

from __future__ import annotations

import pytest

from localcloud.alarms import judged


def alarm(**given):
    return {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 5, **given}


@pytest.mark.parametrize(
    ("values", "given", "state"),
    [
        ([6.0], {}, "ALARM"),
        ([5.0], {}, "OK"),
        ([6.0, 6.0, 1.0], {"DatapointsToAlarm": 2}, "ALARM"),
        ([6.0, 1.0, 1.0], {"DatapointsToAlarm": 2}, "OK"),
        ([6.0, None], {}, "ALARM"),
        ([6.0, None], {"TreatMissingData": "notBreaching"}, "OK"),
        ([6.0, None], {"TreatMissingData": "breaching"}, "ALARM"),
        ([None, None], {}, "INSUFFICIENT_DATA"),
        ([None, None], {"TreatMissingData": "notBreaching"}, "OK"),
        ([None, None], {"TreatMissingData": "breaching"}, "ALARM"),
    ],
)
def test_periods_decide_as_the_alarm_says(values, given, state):
    found = judged(alarm(**given), values)
    assert found is not None
    assert found[0] == state


def test_an_alarm_that_ignores_missing_data_stays_as_it_is():
    assert judged(alarm(TreatMissingData="ignore"), [None]) is None


def test_an_alarm_whose_metric_never_came_stays_as_it_is():
    assert judged(alarm(), None) is None
