"""Names what a deployment creates by its content, and says what of it exists."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from lambdas.common.claims import Claim, Claims, Executions
from lambdas.common.digests import short_digest
from lambdas.common.errors import DocumentedError
from lambdas.common.model_records import ModelRecord, ServingRecord
from lambdas.common.model_states import DEPLOYABLE
from lambdas.inference.contract import (
    DEPLOY,
    PREVIOUS,
    REPAIR,
    REPAIRS_AT_MOST,
    ROLLBACK,
    ContainerEnvironment,
    EndpointBusyError,
    PlanDeploymentRequest,
    PlanDeploymentResponse,
    Resources,
    trial_endpoint_name,
)
from lambdas.inference.deployment_lease import LEASE, take_lease
from lambdas.inference.endpoint import Endpoint
from lambdas.inference.guardrails import LONGEST_BAKE_SECONDS, Guardrails, deployment_config
from pipeline_code.inference.contract import PIPELINE_STEPS, STEP_VARIABLE

MAX_NAME_LENGTH = 63
ONE = "one"
ACTIONS = (DEPLOY, ROLLBACK, REPAIR)
_INVALID = re.compile(r"[^A-Za-z0-9]+")
_SETTLED = "InService"
_DEAD = "Failed"
_CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class ModelNotFoundError(DocumentedError):
    """The use case {use_case} has no model version {version}."""


class ModelNotDeployableError(DocumentedError):
    """Model version {version} is {state}; only {allowed} versions are deployed."""


class NoPreviousVersionError(DocumentedError):
    """No version served before the one that serves now; name the version to deploy."""


class NoVersionError(DocumentedError):
    """The version is {value!r}, but must be a number: `version` to deploy, `to` to go back to."""


class UnknownActionError(DocumentedError):
    """The action is {action!r}, but must be one of {allowed}."""


class BakeTimeError(DocumentedError):
    """bake_seconds is {value}, but must be a whole number from 0 to {most}."""


class EndpointStuckError(DocumentedError):
    """The endpoint {endpoint_name} is {status}; repair or delete it, then deploy again."""


class Models(Protocol):
    """The model repository."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""

    def serving(self) -> ServingRecord | None:
        """Read what serves."""


class Hosting(Protocol):
    """What SageMaker hosts."""

    def has_model(self, name: str) -> bool:
        """Tell whether a model exists."""

    def has_endpoint_config(self, name: str) -> bool:
        """Tell whether an endpoint config exists."""

    def endpoint(self, name: str) -> Endpoint | None:
        """Look at an endpoint."""

    def delete_endpoint(self, name: str) -> None:
        """Begin to delete an endpoint."""


@dataclass(frozen=True)
class DeploymentSetup:
    """Where models of the use case are deployed to, on what, and how guarded."""

    use_case: str
    endpoint_name: str
    serving_variant: str
    name_prefix: str
    guardrails: Guardrails = field(default_factory=Guardrails)
    serving_containers: str = ONE


@dataclass(frozen=True)
class Lease:
    """Who deploys, and who still runs."""

    claims: Claims
    executions: Executions


def plan_deployment(
    request: PlanDeploymentRequest,
    setup: DeploymentSetup,
    models: Models,
    hosting: Hosting,
    lease: Lease,
) -> PlanDeploymentResponse:
    """Take the lease, then name the model and the endpoint config of a version."""
    serving = models.serving()
    if _action(request) == REPAIR:
        undone = _undone(request, lease.claims)
        if undone is None:
            return _nothing(setup)
        held = _take(request, lease, undone)
        # Where nothing is recorded yet, the first deployment of all is brought to its end.
        version = serving["version"] if serving else int(held.facts["version"])
    else:
        version = _wanted(request, serving)
        held = _take(request, lease, {"version": version, "reason": request["reason"]})
    return _plan(version, request, _left(held, setup, models), setup, models, hosting, serving)


def _undone(request: PlanDeploymentRequest, claims: Claims) -> dict[str, Any] | None:
    """Find what the dead execution's lease says; none when it has let go, or too many have died."""
    claim = claims.get(LEASE)
    if claim is None:
        return None
    if claim.is_held_by(request["execution_arn"]):
        return dict(claim.facts)
    repairs = int(claim.facts.get("repairs", 0))
    if not claim.is_held_by(request.get("aborted", "")) or repairs >= REPAIRS_AT_MOST:
        return None
    return {**claim.facts, "repairs": repairs + 1}


def _take(request: PlanDeploymentRequest, lease: Lease, facts: dict[str, Any]) -> Claim:
    return take_lease(lease.claims, lease.executions, request["execution_arn"], facts)


def _plan(
    version: int,
    request: PlanDeploymentRequest,
    leftovers: list[Resources],
    setup: DeploymentSetup,
    models: Models,
    hosting: Hosting,
    serving: ServingRecord | None,
) -> PlanDeploymentResponse:
    kind, bake_seconds = _action(request), _bake(request)
    record = _deployable(version, setup, models, kind)
    own = resources_of(record, setup)
    _clear(trial_endpoint_name(setup.endpoint_name), hosting)
    found = _settled(setup.endpoint_name, hosting)
    failed = found is not None and found.status == _DEAD
    endpoint = None if failed else found
    config_name = own["endpoint_config_name"]
    # An endpoint that was deleted, for costing too much idle, leaves its config and its model.
    recorded = [] if endpoint or not serving else _resources(serving["version"], setup, models)
    plan: PlanDeploymentResponse = {
        **_nothing(setup),
        "version": record["version"],
        "kind": kind,
        "nothing_to_do": False,
        "model_name": own["model_name"],
        "endpoint_config_name": config_name,
        "containers": _containers(record, setup),
        "tried_first": kind == DEPLOY and setup.guardrails.smoke_test,
        "guarded": kind == DEPLOY,
        "champion": str(serving["version"]) if serving else "",
        "deployment_config": deployment_config(setup.guardrails, kind, bake_seconds),
        "leftovers": [each for each in (*leftovers, *recorded) if each != own],
        "model_exists": hosting.has_model(own["model_name"]),
        "endpoint_config_exists": hosting.has_endpoint_config(config_name),
        "endpoint_exists": endpoint is not None,
        "endpoint_failed": failed,
        "already_serving": endpoint is not None and endpoint.config_name == config_name,
    }
    if endpoint:
        plan["previous_endpoint_config_name"] = endpoint.config_name
    return plan


def _nothing(setup: DeploymentSetup) -> PlanDeploymentResponse:
    return {
        "version": 0,
        "kind": REPAIR,
        "nothing_to_do": True,
        "model_name": "",
        "endpoint_config_name": "",
        "endpoint_name": setup.endpoint_name,
        "trial_endpoint_name": trial_endpoint_name(setup.endpoint_name),
        "tried_first": False,
        "guarded": False,
        "containers": [],
        "champion": "",
        "deployment_config": {},
        "leftovers": [],
        "model_exists": False,
        "endpoint_config_exists": False,
        "endpoint_exists": False,
        "endpoint_failed": False,
        "already_serving": False,
    }


def resources_of(record: ModelRecord, setup: DeploymentSetup) -> Resources:
    """Name what a version is served by, by its content."""
    model_name = resource_name(setup.name_prefix, record["version"], _containers(record, setup))
    config = [model_name, setup.serving_variant]
    config_name = resource_name(setup.name_prefix, record["version"], config)
    return {"model_name": model_name, "endpoint_config_name": config_name}


def resource_name(prefix: str, version: int, content: object) -> str:
    """Give ``<prefix>-v<version>-<digest>``, in the characters and length that SageMaker takes."""
    tail = f"-v{version}-{short_digest(content, 12)}"
    head = _INVALID.sub("-", prefix).strip("-")[: MAX_NAME_LENGTH - len(tail)]
    return head.rstrip("-") + tail


def _containers(record: ModelRecord, setup: DeploymentSetup) -> list[dict[str, Any]]:
    container = {"Image": record["image_uri"], "ModelDataUrl": record["artefact_uri"]}
    environment = {
        ContainerEnvironment.USE_CASE: setup.use_case,
        ContainerEnvironment.MODEL_VERSION: str(record["version"]),
    }
    if setup.serving_containers == ONE:
        return [{**container, "Environment": environment}]
    return [
        {
            **container,
            "ContainerHostname": step,
            "Environment": {**environment, STEP_VARIABLE: step},
        }
        for step in PIPELINE_STEPS
    ]


def _left(held: Claim, setup: DeploymentSetup, models: Models) -> list[Resources]:
    """Name what a dead execution may have made."""
    version = held.facts.get("left")
    return [] if version is None else _resources(int(version), setup, models)


def _resources(version: int, setup: DeploymentSetup, models: Models) -> list[Resources]:
    record = models.version(version)
    return [resources_of(record, setup)] if record else []


def _action(request: PlanDeploymentRequest) -> str:
    action = request.get("action", DEPLOY)
    if action not in ACTIONS:
        raise UnknownActionError(action=action, allowed=", ".join(ACTIONS))
    return action


def _wanted(request: PlanDeploymentRequest, serving: ServingRecord | None) -> int:
    wanted = request.get("to" if _action(request) == ROLLBACK else "version")
    if wanted == PREVIOUS:
        return _previous(serving)
    if not isinstance(wanted, int):
        raise NoVersionError(value=wanted)
    return wanted


def _previous(serving: ServingRecord | None) -> int:
    version = serving.get("replaced_version") if serving else None
    if version is None:
        raise NoPreviousVersionError
    return int(version)


def _bake(request: PlanDeploymentRequest) -> int | None:
    value = request.get("bake_seconds")
    if value is not None and value not in range(LONGEST_BAKE_SECONDS + 1):
        raise BakeTimeError(value=value, most=LONGEST_BAKE_SECONDS)
    return value


def _deployable(version: int, setup: DeploymentSetup, models: Models, kind: str) -> ModelRecord:
    record = models.version(version)
    if record is None:
        raise ModelNotFoundError(use_case=setup.use_case, version=version)
    # What is recorded as serving is put back even if it was blocked meanwhile: by a person, later.
    if record["state"] not in DEPLOYABLE and kind != REPAIR:
        raise ModelNotDeployableError(
            version=version, state=record["state"], allowed=", ".join(DEPLOYABLE)
        )
    return record


def _clear(name: str, hosting: Hosting) -> None:
    """Remove the trial endpoint that a dead execution has left."""
    left = hosting.endpoint(name)
    if left is None:
        return
    if left.status in {_SETTLED, _DEAD}:
        hosting.delete_endpoint(name)
    raise EndpointBusyError(endpoint_name=name, status=left.status)


def _settled(name: str, hosting: Hosting) -> Endpoint | None:
    endpoint = hosting.endpoint(name)
    if endpoint is None or endpoint.status in {_SETTLED, _DEAD}:
        return endpoint
    error = EndpointBusyError if endpoint.status in _CHANGING else EndpointStuckError
    raise error(endpoint_name=name, status=endpoint.status)
