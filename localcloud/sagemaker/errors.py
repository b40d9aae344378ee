"""The refusals that SageMaker's operations share."""

from __future__ import annotations

from localcloud.registry import ServiceError


def invalid(message: str) -> ServiceError:
    """Say that a request is malformed or names something that does not exist."""
    return ServiceError("ValidationException", message)


def in_use(message: str) -> ServiceError:
    """Say that a name is taken."""
    return ServiceError("ResourceInUse", message)


def unsupported(feature: str) -> ServiceError:
    """Say that SageMaker has a feature which the embedded AWS has not."""
    return ServiceError("ValidationException", f"The embedded AWS does not support {feature}.")
