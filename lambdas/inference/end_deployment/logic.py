"""Decides what is left to do when a deployment has ended, well or badly.

Every step is idempotent and the lease goes last: an end that died is repeated, or done by the
repair that takes the lease over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from lambdas.common.claims import Claims
from lambdas.common.ledger import Ledger
from lambdas.common.model_records import ServingRecord
from lambdas.common.model_states import ModelState
from lambdas.inference.contract import (
    DEPLOY,
    GAVE_UP,
    EndDeploymentRequest,
    EndDeploymentResponse,
    EndpointBusyError,
    Resources,
)
from lambdas.inference.deployment_lease import LEASE, release_lease
from lambdas.inference.endpoint import Endpoint
from lambdas.inference.guardrails import Guardrails, deployment_config

SUCCEEDED = "succeeded"
ROLLED_BACK = "deployment_rolled_back"
FAILED = "deployment_failed"
UNDONE = "deployment_undone"
_AT_REST = ("InService", "Failed")
_JUDGED_BAD = "roll_back"
_WRONG_ANSWERS = "DeploymentVerificationError"


class Models(Protocol):
    """The model repository."""

    def serving(self) -> ServingRecord | None:
        """Read what serves."""

    def change_state(self, version: int, wanted: ModelState) -> bool:
        """Change a version's state where the table of states allows it; tell success."""


class Hosting(Protocol):
    """What SageMaker hosts."""

    def endpoint(self, name: str) -> Endpoint | None:
        """Look at an endpoint."""

    def move(self, endpoint_name: str, config_name: str, how: dict[str, Any]) -> None:
        """Begin to move an endpoint to another config."""

    def models_of(self, config_name: str) -> list[str]:
        """Name the models of an endpoint config; none when it does not exist."""

    def delete_endpoint(self, name: str) -> None:
        """Begin to delete an endpoint."""

    def delete_config(self, name: str) -> bool:
        """Delete an endpoint config; tell whether it was there."""

    def delete_model(self, name: str) -> bool:
        """Delete a model; tell whether it was there."""


class Scaling(Protocol):
    """What gives the endpoint more instances and fewer."""

    def follow_load(self, endpoint_name: str) -> None:
        """Let an endpoint scale, or go on scaling, by its load."""


def end_deployment(
    request: EndDeploymentRequest,
    claims: Claims,
    models: Models,
    hosting: Hosting,
    ledger: Ledger,
    scaling: Scaling | None = None,
) -> EndDeploymentResponse:
    """Undo, record, tidy up and let go; does nothing for an execution that holds no lease."""
    execution, known = request["execution_arn"], request["input"]
    held = claims.get(LEASE)
    if held is None or not held.is_held_by(execution):
        return {"ended": False, "removed": [], "blocked": False}
    plan = known.get("plan", {})
    removed: list[str] = []
    blocked = False
    if plan:
        serving = models.serving()
        if request["outcome"] != SUCCEEDED:
            _undo(plan, serving, hosting)
            blocked = _record_failure(execution, known, models, ledger)
        removed = _tidy(plan, hosting)
    if scaling and request["outcome"] == SUCCEEDED:
        scaling.follow_load(plan["endpoint_name"])
    if "left" in held.facts and request["outcome"] == SUCCEEDED:
        _record_repair(execution, known, held.facts, ledger)
    release_lease(claims, execution)
    return {"ended": True, "removed": removed, "blocked": blocked}


def _undo(plan: Mapping[str, Any], serving: ServingRecord | None, hosting: Hosting) -> None:
    """See to it that what is not recorded does not serve; raises until the endpoint is at rest."""
    name, config = plan["endpoint_name"], plan["endpoint_config_name"]
    endpoint = _at_rest(name, hosting)
    if endpoint is None or endpoint.config_name != config:
        return
    if serving and serving["endpoint_config_name"] == config:
        return
    previous = plan.get("previous_endpoint_config_name", config)
    if previous == config:
        hosting.delete_endpoint(name)  # Nothing served before, and this one is not to.
    else:
        hosting.move(name, previous, deployment_config(Guardrails(), "undo"))
    raise EndpointBusyError(endpoint_name=name, status="going back")


def _tidy(plan: Mapping[str, Any], hosting: Hosting) -> list[str]:
    """Delete the trial endpoint, and the configs and models that the endpoint does not use."""
    if _at_rest(plan["trial_endpoint_name"], hosting) is not None:
        hosting.delete_endpoint(plan["trial_endpoint_name"])
    endpoint = _at_rest(plan["endpoint_name"], hosting)
    used = endpoint.config_name if endpoint else ""
    used_models = hosting.models_of(used) if used else []
    removed = []
    for each in _candidates(plan, hosting):
        config, model = each["endpoint_config_name"], each["model_name"]
        if config != used and hosting.delete_config(config):
            removed.append(config)
        if model not in used_models and hosting.delete_model(model):
            removed.append(model)
    return removed


def _candidates(plan: Mapping[str, Any], hosting: Hosting) -> list[Resources]:
    own: Resources = {
        "model_name": plan["model_name"],
        "endpoint_config_name": plan["endpoint_config_name"],
    }
    found = [own, *plan["leftovers"]]
    previous = plan.get("previous_endpoint_config_name")
    if previous:
        found += [
            {"model_name": model, "endpoint_config_name": previous}
            for model in hosting.models_of(previous)
        ]
    return found


def _at_rest(name: str, hosting: Hosting) -> Endpoint | None:
    endpoint = hosting.endpoint(name)
    if endpoint is not None and endpoint.status not in _AT_REST:
        raise EndpointBusyError(endpoint_name=name, status=endpoint.status)
    return endpoint


def _record_failure(
    execution: str, known: Mapping[str, Any], models: Models, ledger: Ledger
) -> bool:
    """Record why; block a version that was judged bad or did not answer as it did when built."""
    plan, judge, failure = known["plan"], known.get("judge", {}), known.get("failure", {})
    bad = judge.get("verdict") == _JUDGED_BAD
    rolled_back = bad or failure.get("Error") == GAVE_UP
    reason = judge["reason"] if bad else _told(failure, known.get("endpoint", {}))
    blocks = plan["kind"] == DEPLOY and (bad or _is_to_blame(failure, reason))
    ledger.append(
        {
            "event_type": ROLLED_BACK if rolled_back else FAILED,
            "actor": known["requested_by"],
            "reason": reason,
            "subject": f"v{plan['version']}",
            "evidence": {
                "execution": execution,
                "endpoint": plan["endpoint_name"],
                "compared": judge.get("compared", ""),
                "champion": f"v{plan['champion']}" if plan["champion"] else "nothing",
                "asked_for": known["reason"],
            },
            "token": f"{FAILED}:{execution}:{plan['version']}",
        }
    )
    return blocks and models.change_state(plan["version"], "blocked")


def _record_repair(
    execution: str, known: Mapping[str, Any], facts: Mapping[str, Any], ledger: Ledger
) -> None:
    left = facts["left"]
    ledger.append(
        {
            "event_type": UNDONE,
            "actor": known["requested_by"],
            "reason": known["reason"],
            "subject": f"v{left}",
            "evidence": {"execution": execution, "serves": f"v{known['plan']['version']}"},
            "token": f"{UNDONE}:{execution}:{left}",
        }
    )


def _is_to_blame(failure: Mapping[str, Any], reason: str) -> bool:
    """Tell whether it was the version, rather than a machine that could not be had."""
    return failure.get("Error") == _WRONG_ANSWERS or "alarm" in reason


def _told(failure: Mapping[str, Any], endpoint: Mapping[str, Any]) -> str:
    """Say what SageMaker or a failed step said; Lambda wraps it into JSON."""
    said = endpoint.get("described", {}).get("FailureReason")
    if said and failure.get("Error") == GAVE_UP:
        return str(said)
    cause = str(failure.get("Cause", ""))
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause or str(failure.get("Error", "it failed"))
