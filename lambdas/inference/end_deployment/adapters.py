"""Application Auto Scaling: an endpoint's instances follow its load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas.inference.contract import PRODUCTION_VARIANT

POLICY = "invocations-per-instance"
SCALE_OUT_SECONDS = 60
SCALE_IN_SECONDS = 300
"""Instances come soon and go late."""


@dataclass(frozen=True)
class Limits:
    """Between how many instances, and at how many invocations a minute each is kept."""

    min_count: int
    max_count: int
    invocations: int


class TargetTracking:
    """A scalable target with one target-tracking policy; registering them again changes nothing."""

    def __init__(self, client: Any, limits: Limits) -> None:
        self._client = client
        self._limits = limits

    def follow_load(self, endpoint_name: str) -> None:
        """Let an endpoint scale, or go on scaling, by its load."""
        target = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{endpoint_name}/variant/{PRODUCTION_VARIANT}",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }
        self._client.register_scalable_target(
            **target, MinCapacity=self._limits.min_count, MaxCapacity=self._limits.max_count
        )
        self._client.put_scaling_policy(
            **target,
            PolicyName=POLICY,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": float(self._limits.invocations),
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
                },
                "ScaleOutCooldown": SCALE_OUT_SECONDS,
                "ScaleInCooldown": SCALE_IN_SECONDS,
            },
        )
