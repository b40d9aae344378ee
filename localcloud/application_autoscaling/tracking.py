"""Target tracking: how many instances a load asks for, looked at every second.

AWS looks at minutes: it adds after three of them and takes away after fifteen. A laptop's operator
does not wait that long, so here seconds stand for minutes; the arithmetic is the same.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Protocol

from ministack.services import cloudwatch

from localcloud.application_autoscaling.targets import ScalableTargets, variant_of
from localcloud.sagemaker.scope import Document, Scope

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
OUT_SECONDS = 3.0
IN_SECONDS = 15.0
MINUTE = 60.0
SLACK = 0.9
"""Instances are taken away only below this part of the target value."""
LONGEST_COOLDOWN_SECONDS = 10.0


class Capacity(Protocol):
    """Whose instances are counted and set."""

    def instances(self, scope: Scope, endpoint: str, variant: str) -> int | None:
        """Count a variant's instances; none where it is not in service."""

    def set_instances(self, scope: Scope, endpoint: str, variant: str, count: int) -> None:
        """Begin to give a variant so many instances."""


Load = Callable[[str, str, float], float]
"""Endpoint, variant, seconds: invocations per instance and minute over the last seconds."""


class Tracking:
    """Gives each target what its policy and its limits ask for."""

    def __init__(
        self, targets: ScalableTargets, capacity: Capacity, load: Load | None = None
    ) -> None:
        self._targets = targets
        self._capacity = capacity
        self._load = load or invocations_per_instance
        self._scaled: dict[str, float] = {}
        self._since: dict[str, float] = {}

    def start(self) -> None:
        """Look every second from now on."""
        threading.Thread(target=self._for_ever, name="auto-scaling", daemon=True).start()

    def look(self, now: float) -> None:
        """Look at every target once."""
        for scope, target, policy in self._targets.tracked():
            endpoint, variant = variant_of(target["ResourceId"])
            count = self._capacity.instances(scope, endpoint, variant)
            if count is not None:
                self._scale(scope, target, policy, count, now)

    def _scale(
        self, scope: Scope, target: Document, policy: Document, count: int, now: float
    ) -> None:
        resource = target["ResourceId"]
        endpoint, variant = variant_of(resource)
        self._since.setdefault(resource, now)
        wanted, cause = self._wanted(target, policy, count, now)
        if wanted == count:
            return
        self._scaled[resource] = now
        self._capacity.set_instances(scope, endpoint, variant, wanted)
        self._targets.note(scope, target, cause, wanted)

    def _wanted(
        self, target: Document, policy: Document, count: int, now: float
    ) -> tuple[int, str]:
        low, high = target["MinCapacity"], target["MaxCapacity"]
        if not low <= count <= high:
            return max(low, min(high, count)), "the capacity was out of the target's limits"
        resource = target["ResourceId"]
        endpoint, variant = variant_of(resource)
        tracking = policy["TargetTrackingScalingPolicyConfiguration"]
        value = float(tracking["TargetValue"])
        rested = now - self._scaled.get(resource, -math.inf)
        load = self._load(endpoint, variant, OUT_SECONDS)
        if load > value and rested >= _cooldown(tracking, "ScaleOutCooldown"):
            wanted = min(high, math.ceil(count * load / value))
            return wanted, f"invocations per instance were {load:.0f} a minute, above {value:.0f}"
        known = now - max(self._since[resource], self._scaled.get(resource, -math.inf))
        if tracking.get("DisableScaleIn") or known < IN_SECONDS:
            return count, ""
        load = self._load(endpoint, variant, IN_SECONDS)
        if load < SLACK * value and rested >= _cooldown(tracking, "ScaleInCooldown"):
            wanted = max(low, math.ceil(count * load / value))
            return wanted, f"invocations per instance were {load:.0f} a minute, below {value:.0f}"
        return count, ""

    def _for_ever(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            try:
                self.look(time.monotonic())
            except Exception:
                LOG.exception("auto scaling")


def invocations_per_instance(endpoint: str, variant: str, seconds: float) -> float:
    """Read the load of the last seconds from CloudWatch, as of a minute."""
    key = cloudwatch._dims_key({"EndpointName": endpoint, "VariantName": variant})  # noqa: SLF001
    points = cloudwatch._metrics.get(("AWS/SageMaker", "InvocationsPerInstance", key))  # noqa: SLF001
    total, oldest = 0.0, time.time() - seconds
    for point in reversed(list(points or ())):
        if point["Timestamp"] < oldest:
            break
        total += point["Value"]
    return total / seconds * MINUTE


def _cooldown(tracking: Document, member: str) -> float:
    return min(float(tracking.get(member, LONGEST_COOLDOWN_SECONDS)), LONGEST_COOLDOWN_SECONDS)
