"""Decides what a finished deployment changes: what serves, what retires, who is told."""

from __future__ import annotations

from typing import Protocol

from lambdas.common.clock import Clock
from lambdas.common.errors import DocumentedError
from lambdas.common.events import Events
from lambdas.common.ledger import Ledger
from lambdas.common.model_records import ModelRecord, ServingRecord
from lambdas.common.model_states import ModelState
from lambdas.inference.contract import (
    MODEL_DEPLOYED,
    ROLLBACK,
    ModelDeployed,
    RecordDeploymentRequest,
    RecordDeploymentResponse,
)

LEDGER_EVENT = "model_deployed"
ROLLED_BACK = "model_rolled_back"


class ServingChangedError(DocumentedError):
    """Another deployment was recorded meanwhile, or took the lease. Deploy {version} again."""


class UnknownVersionError(DocumentedError):
    """Version {version} was deployed, but it is not registered."""


class ServingModels(Protocol):
    """The model repository's view of what serves."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""

    def serving(self) -> ServingRecord | None:
        """Read what serves."""

    def serve(
        self, serving: ServingRecord, *, replacing: ServingRecord | None, replaced_as: ModelState
    ) -> bool:
        """Point at a version, mark it deployed and the replaced one in its new state.

        Tells success: the execution still held the lease, and the pointer was as expected.
        """


def record_deployment(
    request: RecordDeploymentRequest,
    use_case: str,
    models: ServingModels,
    ledger: Ledger,
    events: Events,
    clock: Clock,
) -> RecordDeploymentResponse:
    """Record a deployment once; a repeated call gives the same answer."""
    record = models.version(request["version"])
    if record is None:
        raise UnknownVersionError(version=request["version"])
    serving = _serve(request, record, models, clock)
    replaced = serving.get("replaced_version")
    ledger.append(
        {
            "event_type": LEDGER_EVENT,
            "actor": request["requested_by"],
            "reason": request["reason"],
            "subject": f"v{request['version']}",
            "evidence": {
                "model": record["model_id"],
                "artefact_sha256": record["artefact_sha256"],
                "endpoint": request["endpoint_name"],
                "endpoint_config": request["endpoint_config_name"],
                "execution": serving["execution_arn"],
                "replaced": f"v{replaced}" if replaced else "nothing",
            },
            "token": f"{LEDGER_EVENT}:{serving['execution_arn']}:{request['version']}",
        }
    )
    if replaced and _is_rollback(request):
        _record_rollback(request, serving, replaced, ledger)
    detail: ModelDeployed = {
        "use_case": use_case,
        "version": request["version"],
        "replaced_version": replaced,
        "endpoint_name": request["endpoint_name"],
    }
    events.announce(MODEL_DEPLOYED, detail)
    return {"version": request["version"], "replaced_version": replaced}


def _record_rollback(
    request: RecordDeploymentRequest, serving: ServingRecord, replaced: int, ledger: Ledger
) -> None:
    ledger.append(
        {
            "event_type": ROLLED_BACK,
            "actor": request["requested_by"],
            "reason": request["reason"],
            "subject": f"v{replaced}",
            "evidence": {
                "serves": f"v{request['version']}",
                "execution": serving["execution_arn"],
            },
            "token": f"{ROLLED_BACK}:{serving['execution_arn']}:{replaced}",
        }
    )


def _is_rollback(request: RecordDeploymentRequest) -> bool:
    return request.get("kind") == ROLLBACK


def _serve(
    request: RecordDeploymentRequest, record: ModelRecord, models: ServingModels, clock: Clock
) -> ServingRecord:
    current = models.serving()
    # A version that was blocked and approved again while it served is deployed anew.
    if current and _is_recorded(current, request) and record["state"] == "deployed":
        return current
    wanted: ServingRecord = {
        "version": request["version"],
        "endpoint_name": request["endpoint_name"],
        "endpoint_config_name": request["endpoint_config_name"],
        "deployed_at": clock(),
        "execution_arn": request["execution_arn"],
        "replaced_version": current["version"] if current else None,
    }
    replaced_as: ModelState = "blocked" if _is_rollback(request) else "retired"
    if models.serve(wanted, replacing=current, replaced_as=replaced_as):
        return wanted
    stored = models.serving()
    if stored and _is_recorded(stored, request):
        return stored
    raise ServingChangedError(version=request["version"])


def _is_recorded(serving: ServingRecord, request: RecordDeploymentRequest) -> bool:
    return (
        serving["version"] == request["version"]
        and serving["endpoint_config_name"] == request["endpoint_config_name"]
    )
