"""Names what a deployment creates by its content, and says what of it exists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from lambdas.common.digests import short_digest
from lambdas.common.errors import DocumentedError
from lambdas.common.model_records import ModelRecord
from lambdas.common.model_states import DEPLOYABLE
from lambdas.inference.contract import (
    ContainerEnvironment,
    EndpointBusyError,
    PlanDeploymentRequest,
    PlanDeploymentResponse,
)

MAX_NAME_LENGTH = 63
_INVALID = re.compile(r"[^A-Za-z0-9]+")
_SETTLED = "InService"
_DEAD = "Failed"
_CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class ModelNotFoundError(DocumentedError):
    """The use case {use_case} has no model version {version}."""


class ModelNotDeployableError(DocumentedError):
    """Model version {version} is {state}; only {allowed} versions are deployed."""


class EndpointStuckError(DocumentedError):
    """The endpoint {endpoint_name} is {status}; repair or delete it, then deploy again."""


class Endpoint(NamedTuple):
    """An endpoint as it is now."""

    status: str
    config_name: str


class Models(Protocol):
    """The model repository."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""


class Hosting(Protocol):
    """What SageMaker hosts."""

    def has_model(self, name: str) -> bool:
        """Tell whether a model exists."""

    def has_endpoint_config(self, name: str) -> bool:
        """Tell whether an endpoint config exists."""

    def endpoint(self, name: str) -> Endpoint | None:
        """Look at an endpoint."""


@dataclass(frozen=True)
class DeploymentSetup:
    """Where models of the use case are deployed to, and on what."""

    use_case: str
    endpoint_name: str
    serving_variant: str
    name_prefix: str


def plan_deployment(
    request: PlanDeploymentRequest, setup: DeploymentSetup, models: Models, hosting: Hosting
) -> PlanDeploymentResponse:
    """Name the model and the endpoint config of a version."""
    record = _deployable(request["version"], setup, models)
    environment = {
        ContainerEnvironment.USE_CASE: setup.use_case,
        ContainerEnvironment.MODEL_VERSION: str(record["version"]),
    }
    model_content = [record["artefact_uri"], record["image_uri"], environment]
    model_name = resource_name(setup.name_prefix, record["version"], model_content)
    config_content = [model_name, setup.serving_variant]
    config_name = resource_name(setup.name_prefix, record["version"], config_content)
    found = _settled(setup.endpoint_name, hosting)
    failed = found is not None and found.status == _DEAD
    endpoint = None if failed else found
    plan: PlanDeploymentResponse = {
        "version": record["version"],
        "model_name": model_name,
        "endpoint_config_name": config_name,
        "endpoint_name": setup.endpoint_name,
        "image_uri": record["image_uri"],
        "artefact_uri": record["artefact_uri"],
        "environment": environment,
        "model_exists": hosting.has_model(model_name),
        "endpoint_config_exists": hosting.has_endpoint_config(config_name),
        "endpoint_exists": endpoint is not None,
        "endpoint_failed": failed,
        "already_serving": endpoint is not None and endpoint.config_name == config_name,
    }
    if endpoint:
        plan["previous_endpoint_config_name"] = endpoint.config_name
    return plan


def resource_name(prefix: str, version: int, content: object) -> str:
    """Give ``<prefix>-v<version>-<digest>``, in the characters and length that SageMaker takes."""
    tail = f"-v{version}-{short_digest(content, 12)}"
    head = _INVALID.sub("-", prefix).strip("-")[: MAX_NAME_LENGTH - len(tail)]
    return head.rstrip("-") + tail


def _deployable(version: int, setup: DeploymentSetup, models: Models) -> ModelRecord:
    record = models.version(version)
    if record is None:
        raise ModelNotFoundError(use_case=setup.use_case, version=version)
    if record["state"] not in DEPLOYABLE:
        raise ModelNotDeployableError(
            version=version, state=record["state"], allowed=", ".join(DEPLOYABLE)
        )
    return record


def _settled(name: str, hosting: Hosting) -> Endpoint | None:
    endpoint = hosting.endpoint(name)
    if endpoint is None or endpoint.status in {_SETTLED, _DEAD}:
        return endpoint
    error = EndpointBusyError if endpoint.status in _CHANGING else EndpointStuckError
    raise error(endpoint_name=name, status=endpoint.status)
