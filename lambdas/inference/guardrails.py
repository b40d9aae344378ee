"""How a deployment is guarded: read from the environment's configuration, handed to SageMaker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lambdas.inference.contract import DEPLOY

LONGEST_BAKE_SECONDS = 3600
SHORTEST_LIMIT_SECONDS = 600
"""SageMaker takes no shorter limit of a deployment."""
_SHIFTING_SECONDS = 1800


@dataclass(frozen=True)
class Guardrails:
    """The environment's deployment policy."""

    strategy: str = "all_at_once"
    step_percent: int = 10
    bake_seconds: int = 0
    termination_seconds: int = 0
    error_budget: float = 0.01
    failure_rate: float = 0.02
    score_shift: float = 0.2
    slower_octaves: int = 1
    smoke_test: bool = False
    alarms: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Guardrails:
        """Read what the environment's setting says."""
        given = json.loads(text) if text else {}
        return cls(**{**given, "alarms": tuple(given.get("alarms", ()))})


def deployment_config(
    guardrails: Guardrails, kind: str, bake_seconds: int | None = None
) -> dict[str, Any]:
    """Spell a deployment policy as ``UpdateEndpoint`` takes it.

    What goes back to a known version goes at once, and no alarm that the bad one has raised keeps
    it from that.
    """
    bake = guardrails.bake_seconds if bake_seconds is None else bake_seconds
    if kind != DEPLOY:
        return _blue_green({"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}, 0, 0)
    size = {"Type": "CAPACITY_PERCENT", "Value": guardrails.step_percent}
    sizes = {"canary": {"CanarySize": size}, "linear": {"LinearStepSize": size}}
    routing = {
        "Type": guardrails.strategy.upper(),
        "WaitIntervalInSeconds": bake,
        **sizes.get(guardrails.strategy, {}),
    }
    steps = {"canary": 2, "linear": -(-100 // guardrails.step_percent)}.get(guardrails.strategy, 1)
    config = _blue_green(routing, guardrails.termination_seconds, steps * bake)
    if guardrails.alarms:
        alarms = [{"AlarmName": name} for name in guardrails.alarms]
        config["AutoRollbackConfiguration"] = {"Alarms": alarms}
    return config


def _blue_green(routing: dict[str, Any], termination: int, baking: int) -> dict[str, Any]:
    limit = baking + termination + _SHIFTING_SECONDS
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": termination,
            "MaximumExecutionTimeoutInSeconds": max(SHORTEST_LIMIT_SECONDS, limit),
        }
    }
