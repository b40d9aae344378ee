"""Application Auto Scaling as a service of the embedded AWS."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from localcloud.application_autoscaling.capacity import EndpointCapacity
from localcloud.application_autoscaling.resource_types import RESOURCE_TYPES
from localcloud.application_autoscaling.targets import ScalableTargets
from localcloud.application_autoscaling.tracking import Tracking
from localcloud.jobs.connections import await_gateway
from localcloud.jobs.machine import this_machine
from localcloud.registry import Call, Permission, Service
from localcloud.sagemaker.presentation import presenting_for
from localcloud.sagemaker.store import Store

NAME = "application-autoscaling"


def service() -> Service:
    """Offer scalable targets and target tracking for endpoints."""
    targets = ScalableTargets(Store(this_machine().folder("application_autoscaling")))
    tracking = Tracking(targets, EndpointCapacity())

    def start() -> None:
        def work() -> None:
            await_gateway()
            tracking.start()

        threading.Thread(target=work, daemon=True).start()

    operations = {
        "RegisterScalableTarget": targets.register,
        "DeregisterScalableTarget": targets.deregister,
        "DescribeScalableTargets": targets.describe,
        "PutScalingPolicy": targets.put_policy,
        "DeleteScalingPolicy": targets.delete_policy,
        "DescribeScalingPolicies": targets.describe_policies,
        "DescribeScalingActivities": targets.describe_activities,
    }
    return Service(
        signing_name=NAME,
        models=(NAME,),
        operations={name: presenting_for(NAME, name, run) for name, run in operations.items()},
        permissions=_permissions,
        resource_types=RESOURCE_TYPES,
        start=start,
    )


def _permissions(call: Call) -> Sequence[Permission]:
    resource = f"arn:aws:application-autoscaling:{call.region}:{call.account}:scalable-target/*"
    reads = call.operation.startswith("Describe")
    return [Permission(f"{NAME}:{call.operation}", "*" if reads else resource)]
