"""CloudWatch's metric alarms, evaluated every second and as CloudWatch evaluates them.

ministack looks at an alarm when somebody asks for it, over every metric of its name, whatever the
dimensions. Here an alarm is about one metric, `M` of its last `N` periods decide, and missing data
is treated as the alarm says.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

LOG = logging.getLogger(__name__)
EVALUATION_SECONDS = 1.0
LATE_SECONDS = 300.0
"""Points may arrive so much later than their own time."""
Alarm = dict[str, Any]
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def install() -> None:
    """Evaluate alarms in ministack's stead, now and every second."""
    cloudwatch._evaluate_alarm = evaluate  # noqa: SLF001
    threading.Thread(target=_evaluate_for_ever, name="alarms", daemon=True).start()


def state_of(name: str) -> str | None:
    """Tell the state of an alarm, metric or composite; None of one that does not exist."""
    alarm = _find(name)
    return None if alarm is None else str(alarm["StateValue"])


def evaluate(alarm: Alarm) -> None:
    """Evaluate one alarm and let a changed state have its consequences."""
    wanted = judged(alarm, _values(alarm, time.time()))
    before = alarm["StateValue"]
    if wanted is None or wanted[0] == before:
        return
    state, reason = wanted
    alarm["StateValue"], alarm["StateReason"] = state, reason
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)  # noqa: SLF001
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)  # noqa: SLF001
    cloudwatch._evaluate_parent_alarms(alarm)  # noqa: SLF001


def judged(alarm: Alarm, values: Sequence[float | None] | None) -> tuple[str, str] | None:
    """Tell an alarm's state and why, from the values of its periods; None leaves it as it is."""
    compare = _COMPARISONS.get(alarm.get("ComparisonOperator", ""))
    if compare is None or values is None:
        return None
    threshold = float(alarm.get("Threshold", 0))
    treatment = alarm.get("TreatMissingData") or "missing"
    known = [value for value in values if value is not None]
    if not known:
        return _without_data(treatment, len(values))
    absent = len(values) - len(known) if treatment == "breaching" else 0
    breaching = sum(compare(value, threshold) for value in known) + absent
    needed = int(alarm.get("DatapointsToAlarm") or len(values))
    if treatment in {"missing", "ignore"}:
        # What is missing says nothing, so only the known periods have to breach.
        needed = min(needed, len(known))
    crossed = f"{breaching} of {len(values)} datapoints {known} crossed the threshold ({threshold})"
    return ("ALARM" if breaching >= needed else "OK"), f"Threshold Crossed: {crossed}"


def _without_data(treatment: str, periods: int) -> tuple[str, str] | None:
    states = {"missing": "INSUFFICIENT_DATA", "breaching": "ALARM", "notBreaching": "OK"}
    if treatment not in states:
        return None
    return states[treatment], f"No datapoint in {periods} periods; missing data is {treatment}"


def _values(alarm: Alarm, now: float) -> list[float | None] | None:
    """Return one value a period, newest first; None where the metric never had a datapoint."""
    points = _points(alarm)
    if not points:
        return None
    period = float(alarm.get("Period", 60))
    periods = int(alarm.get("EvaluationPeriods", 1))
    buckets: list[list[Any]] = [[] for _ in range(periods)]
    for point in reversed(points):
        age = now - point["Timestamp"]
        if age > period * periods + LATE_SECONDS:
            break
        position = int(max(age, 0.0) // period)
        if position < periods:
            buckets[position].append(point)
    return [_statistic(alarm, bucket) for bucket in buckets]


def _points(alarm: Alarm) -> list[Any]:
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])  # noqa: SLF001
    key = cloudwatch._dims_key(dimensions)  # noqa: SLF001
    metric = alarm.get("Namespace"), alarm.get("MetricName"), key
    return list(cloudwatch._metrics.get(metric) or ())  # noqa: SLF001


def _statistic(alarm: Alarm, points: list[Any]) -> float | None:
    if not points:
        return None
    name = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    found = cloudwatch._stat_value(cloudwatch._calc_stats(points), name, points)  # noqa: SLF001
    return None if found is None else float(found)


def _find(name: str) -> Alarm | None:
    found = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name)  # noqa: SLF001
    return dict(found) if found else None


def _evaluate_for_ever() -> None:
    while True:
        for alarm in list(cloudwatch._alarms.values()):  # noqa: SLF001
            try:
                evaluate(alarm)
            except Exception:
                LOG.exception("alarm %s", alarm.get("AlarmName"))
        time.sleep(EVALUATION_SECONDS)
