"""Products of the AWS Marketplace: requests are checked as far as AWS would look at them here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from localcloud.registry import ServiceError
from localcloud.sagemaker.errors import invalid

_PRODUCT = re.compile(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:(?P<account>\d{12}):(algorithm|model-package)/[\w-]+"
)


def refuse_algorithm(algorithm: Mapping[str, Any]) -> NoReturn:
    """Refuse a training algorithm by ARN, after all that can be checked without the product."""
    if algorithm.get("TrainingImage"):
        raise invalid("TrainingImage and AlgorithmName cannot be given together.")
    if algorithm.get("MetricDefinitions"):
        raise invalid("MetricDefinitions cannot be given with AlgorithmName.")
    refuse_product("AlgorithmName", algorithm["AlgorithmName"])


def refuse_product(member: str, arn: str) -> NoReturn:
    """Say that a product of the marketplace is not run here."""
    match = _PRODUCT.fullmatch(arn)
    if match is None:
        raise invalid(
            f"{member} {arn} is neither the ARN of an algorithm nor of a model package: "
            "arn:aws:sagemaker:<region>:<account>:algorithm/<name>"
        )
    raise ServiceError(
        "ValidationException",
        f"Caller is not subscribed to the marketplace offering {arn}: the embedded AWS has no "
        "AWS Marketplace and cannot run its products; the request itself is valid. Deploy to an "
        "account that is subscribed.",
    )
