"""What is at stake with a departure: minutes of an aircraft and hours of its passengers.

Limits and costs stand in ``decision.yaml``, and so do two tables made of the training months: how
late the late ones come, by hour, and what is usually predicted, by airport and hour. The second
stands in for departures later in the day, which compete for crews and aircraft today but are
predicted only two hours ahead.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline_code.inference.decision_policy import Candidate, Policy

Constants = Mapping[str, Any]


def candidates(
    instances: Sequence[Mapping[str, Any]],
    probabilities: Sequence[float | None],
    policy: Policy,
) -> list[Candidate]:
    """Say what each departure stands to lose; one without a probability gets the usual one."""
    constants: Constants = policy.document["constants"]
    schedules = [instance["schedule"] for instance in instances]
    usual = _usual(schedules, probabilities, policy.document["outlook"])
    return [
        _candidate(schedule, instance.get("network") or {}, usual[index], constants)
        for index, (schedule, instance) in enumerate(zip(schedules, instances, strict=True))
    ]


def _candidate(
    schedule: Mapping[str, Any], network: Mapping[str, Any], probability: float, c: Constants
) -> Candidate:
    departure = str(schedule["scheduled_departure"])
    seats = network.get("aircraft_seats") or c["usual_seats"]
    minutes = c["severity_minutes"][int(departure[11:13])]
    passengers = c["load_factor"] * seats * c["passenger_hour"] / 60
    mainline = seats > c["regional_seats"]
    swappable = seats <= c["mainline_seats"]
    return Candidate(
        probability=probability,
        loss=probability * minutes * (c["aircraft_minute"] + passengers),
        attributes={
            "origin": str(schedule["origin"]),
            "day": departure[:10],
            "hour": departure[:13],
            "size": "mainline" if mainline else "regional",
        },
        actions=("turn", "crew", "swap") if swappable else ("turn", "crew"),
    )


def _usual(
    schedules: Sequence[Mapping[str, Any]],
    probabilities: Sequence[float | None],
    outlook: Mapping[str, Mapping[int, Sequence[float]]],
) -> list[float]:
    """Spread the usual probabilities of an airport's hour evenly over its departures.

    Which departure gets which is arbitrary, but always the same.
    """
    found = [0.0 if given is None else given for given in probabilities]
    groups: dict[tuple[str, int], list[int]] = {}
    for index, (schedule, given) in enumerate(zip(schedules, probabilities, strict=True)):
        if given is None:
            hour = int(str(schedule["scheduled_departure"])[11:13])
            groups.setdefault((str(schedule["origin"]), hour), []).append(index)
    for (origin, hour), members in groups.items():
        usual = outlook[origin][hour]
        members.sort(key=lambda index: zlib.crc32(repr(sorted(schedules[index].items())).encode()))
        for place, index in enumerate(members):
            found[index] = usual[int((place + 0.5) * len(usual) / len(members))]
    return found
