"""How an update moves traffic: an endpoint's deployment config, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.scope import Document

DEFAULT_LIMIT_SECONDS = 28_800.0
WHOLE = 100.0
CANARY_PERCENT = (1, 50)
LINEAR_PERCENT = (10, 50)
BATCH_PERCENT = (5, 50)


@dataclass(frozen=True)
class Size:
    """A part of a fleet, in instances or in percent."""

    kind: str
    value: int

    def share(self, instances: int) -> float:
        """Tell the part of a fleet of so many instances."""
        part = self.value / (instances if self.kind == "INSTANCE_COUNT" else WHOLE)
        return min(part, 1.0)

    def count(self, instances: int) -> int:
        """Tell how many of so many instances it is, at least one."""
        return max(1, min(instances, int(instances * self.share(instances))))


@dataclass(frozen=True)
class Policy:
    """An update's steps and limits."""

    kind: str  #: ALL_AT_ONCE, CANARY, LINEAR or ROLLING
    size: Size
    wait_seconds: float
    termination_seconds: float
    limit_seconds: float
    alarms: tuple[str, ...]

    def shares(self, instances: int) -> list[float]:
        """List the parts of the traffic that the new fleet gets, one step after the other."""
        part = self.size.share(instances)
        if self.kind == "CANARY":
            return [part, 1.0]
        if self.kind == "LINEAR":
            steps = int(1.0 / part - 1e-9)
            return [part * step for step in range(1, steps + 1)] + [1.0]
        return [1.0]


def policy_of(config: Document | None, alarm_exists: Callable[[str], bool]) -> Policy:
    """Read a deployment config; without one, the traffic moves at once."""
    config = config or {}
    blue_green, rolling = config.get("BlueGreenUpdatePolicy"), config.get("RollingUpdatePolicy")
    if blue_green and rolling:
        raise invalid("Give either BlueGreenUpdatePolicy or RollingUpdatePolicy, not both.")
    alarms = [a["AlarmName"] for a in config.get("AutoRollbackConfiguration", {}).get("Alarms", [])]
    for name in alarms:
        if not alarm_exists(name):
            raise invalid(f'Could not find the alarm "{name}" of AutoRollbackConfiguration.')
    return _rolling(rolling, alarms) if rolling else _blue_green(blue_green or {}, alarms)


def _blue_green(policy: Mapping[str, Any], alarms: list[str]) -> Policy:
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE"})
    kind = routing["Type"]
    members = {
        "CANARY": ("CanarySize", CANARY_PERCENT),
        "LINEAR": ("LinearStepSize", LINEAR_PERCENT),
    }
    size = Size("CAPACITY_PERCENT", int(WHOLE))
    if kind in members:
        member, limits = members[kind]
        size = _size(routing.get(member), member, limits)
    return Policy(
        kind,
        size,
        float(routing.get("WaitIntervalInSeconds", 0)),
        float(policy.get("TerminationWaitInSeconds", 0)),
        float(policy.get("MaximumExecutionTimeoutInSeconds", DEFAULT_LIMIT_SECONDS)),
        tuple(alarms),
    )


def _rolling(policy: Mapping[str, Any], alarms: list[str]) -> Policy:
    return Policy(
        "ROLLING",
        _size(policy["MaximumBatchSize"], "MaximumBatchSize", BATCH_PERCENT),
        float(policy["WaitIntervalInSeconds"]),
        0.0,
        float(policy.get("MaximumExecutionTimeoutInSeconds", DEFAULT_LIMIT_SECONDS)),
        tuple(alarms),
    )


def _size(given: Mapping[str, Any] | None, member: str, limits: tuple[int, int]) -> Size:
    if given is None:
        raise invalid(f"{member} is required by this kind of traffic routing.")
    kind, value = given["Type"], int(given["Value"])
    low, high = limits
    if kind == "CAPACITY_PERCENT" and not low <= value <= high:
        raise invalid(f"{member} is {value} percent, but must be between {low} and {high}.")
    return Size(kind, value)
