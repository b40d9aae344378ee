"""What an image's URI names for SageMaker: a pushed image, or one of AWS's own that runs here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from localcloud.images import Image
from localcloud.jobs.host import Host
from localcloud.registry import ServiceError
from localcloud.sagemaker.algorithms import catalogue
from localcloud.sagemaker.errors import invalid, unsupported
from localcloud.sagemaker.scope import Document

_ACCELERATED = re.compile(r"ml\.(p|g|trn|inf|dl)\d")


def with_images_of_aws(host: Host) -> Host:
    """Return the machine, on which AWS's own images run too."""
    return replace(host, resolve_image=_resolver(host.resolve_image))


def _resolver(pushed: Callable[[str], Image]) -> Callable[[str], Image]:
    def resolve(image_uri: str) -> Image:
        try:
            return pushed(image_uri)
        except ServiceError:
            image = catalogue.image(image_uri)
            if image is None:
                raise
            return image

    return resolve


def with_metric_definitions(algorithm: Document, hyperparameters: Document) -> Document:
    """Add the metrics that an image of AWS's prints; as on AWS nobody may give others."""
    known = catalogue.metric_definitions(algorithm["TrainingImage"])
    if not known or "sagemaker_program" in hyperparameters:
        return algorithm
    if algorithm.get("MetricDefinitions"):
        raise invalid(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please "
            "retry the request without specifying metric definitions."
        )
    return {**algorithm, "MetricDefinitions": known}


def check_instances(resources: Document) -> None:
    """Refuse machines that this one cannot stand in for."""
    if resources.get("InstanceGroups"):
        raise unsupported("InstanceGroups: say InstanceType and InstanceCount 1")
    if resources.get("InstanceCount", 1) != 1:
        raise unsupported("training on more than one instance")
    kind = resources.get("InstanceType", "")
    if _ACCELERATED.match(kind):
        raise unsupported(f"the accelerated instance type {kind}: choose one without GPU")
