"""Payloads and settings of the inference block's functions."""

from __future__ import annotations

from typing import NotRequired, TypedDict

EVENT_SOURCE = "fourblocks.inference"
MODEL_DEPLOYED = "ModelDeployed"


class Setting:
    """Environment variables of the functions."""

    USE_CASE = "USE_CASE"
    ENDPOINT_NAME = "ENDPOINT_NAME"
    PREDICTION_TABLE = "PREDICTION_TABLE"
    PREDICTION_DAYS = "PREDICTION_DAYS"
    """Days until a stored prediction expires."""
    MODEL_TABLE = "MODEL_TABLE"
    LEDGER_TABLE = "LEDGER_TABLE"
    EVENT_BUS = "EVENT_BUS"


class PlanDeploymentRequest(TypedDict):
    """Input of ``plan_deployment``, and of the deployment workflow."""

    execution_arn: str
    version: int
    reason: str
    requested_by: str


class PlanDeploymentResponse(TypedDict):
    """Names and images, ready for ``CreateModel``, ``CreateEndpointConfig``, ``CreateEndpoint`` or ``UpdateEndpoint``."""

    version: int
    model_name: str
    endpoint_config_name: str
    endpoint_name: str
    image_uri: str
    artefact_uri: str
    environment: dict[str, str]
    model_exists: bool
    endpoint_config_exists: bool
    endpoint_exists: bool
    already_serving: bool
    previous_endpoint_config_name: NotRequired[str]


class VerifyDeploymentRequest(TypedDict):
    """Input of ``verify_deployment``: ask the endpoint the golden requests and compare."""

    version: int
    endpoint_name: str


class RecordDeploymentRequest(TypedDict):
    """Input of ``record_deployment``: this version serves from now on."""

    execution_arn: str
    version: int
    endpoint_name: str
    endpoint_config_name: str
    reason: str
    requested_by: str


class RecordDeploymentResponse(TypedDict):
    """What serves now, and what it replaced."""

    version: int
    replaced_version: int | None
