"""Decides what is registered, and that each training gets one version, without gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from lambdas.common.claims import Claim, Claims
from lambdas.common.clock import Clock
from lambdas.common.errors import ClaimLostError, DocumentedError
from lambdas.common.events import Events
from lambdas.common.ledger import Entry, Ledger
from lambdas.common.model_records import ModelRecord
from lambdas.training_pipeline.contract import (
    MODEL_REGISTERED,
    MODEL_REJECTED,
    TRAINING_REGISTERED,
    ModelJudged,
    ModelState,
    RegisterModelRequest,
    RegisterModelResponse,
)

ATTEMPTS = 50
"""Each lost race means that another model was registered meanwhile."""


class RegistryBusyError(DocumentedError):
    """The model repository did not give training {training_id} a version; try again."""


class ArtefactIncompleteError(DocumentedError):
    """The artefact {uri} does not hold {member}, by which its deployment is verified."""


class StoredArtefact(NamedTuple):
    """An artefact under its own digest."""

    sha256: str
    model_id: str
    uri: str
    golden_uri: str


class Artefacts(Protocol):
    """The artefacts of models, each under its own digest."""

    def keep(self, uri: str) -> StoredArtefact:
        """Copy an artefact, and the golden requests in it, to where its digest says."""


class Registry(Protocol):
    """The versions of a model."""

    def last_version(self) -> int:
        """Give the version that was registered last; 0 before the first."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""

    def add(self, record: ModelRecord, claim: Claim, *, replacing: Claim) -> bool:
        """Write the version after the last and end the claim, all or nothing; tell success."""


class Evaluations(Protocol):
    """What the verdicts rest on."""

    def read(self, uri: str) -> Any:
        """Read an evaluation."""


@dataclass(frozen=True)
class ModelRepository:
    """All that a registration writes to."""

    artefacts: Artefacts
    registry: Registry
    evaluations: Evaluations
    claims: Claims
    ledger: Ledger
    events: Events


def register_model(
    request: RegisterModelRequest, use_case: str, repository: ModelRepository, clock: Clock
) -> RegisterModelResponse:
    """Register a judged model; a repeated call gives the version that the first one gave."""
    claim = repository.claims.get(request["training_id"])
    record = _registered(claim, repository) or _register(request, repository, clock)
    for entry in _entries(request, record):
        repository.ledger.append(entry)
    detail: ModelJudged = {
        "use_case": use_case,
        "version": record["version"],
        "model_id": record["model_id"],
        "training_id": record["training_id"],
        "reasons": record["reasons"],
    }
    promoted = record["verdict"] == "promoted"
    repository.events.announce(MODEL_REGISTERED if promoted else MODEL_REJECTED, detail)
    return {
        "version": record["version"],
        "model_id": record["model_id"],
        "artefact_uri": record["artefact_uri"],
        "state": record["state"],  # type: ignore[typeddict-item]  # as registered
        "image_uri": record["image_uri"],
    }


def _registered(claim: Claim | None, repository: ModelRepository) -> ModelRecord | None:
    if claim is None or claim.state != TRAINING_REGISTERED:
        return None
    return repository.registry.version(int(claim.facts["version"]))


def _register(
    request: RegisterModelRequest, repository: ModelRepository, clock: Clock
) -> ModelRecord:
    artefact = repository.artefacts.keep(request["artefact_uri"])
    evaluation = repository.evaluations.read(request["evaluation_uri"])
    for _ in range(ATTEMPTS):
        # One reading decides: a second one may see what a repeated step has done meanwhile.
        claim = repository.claims.get(request["training_id"])
        record = _registered(claim, repository)
        if record:
            return record
        if claim is None or not claim.is_held_by(request["execution_arn"]):
            raise _lost(request, claim)
        version = repository.registry.last_version() + 1
        record = _record(request, version, artefact, evaluation["challenger"], clock())
        facts = {**claim.facts, "version": version}
        ended = Claim(claim.subject, TRAINING_REGISTERED, claim.execution_arn, facts)
        if repository.registry.add(record, ended, replacing=claim):
            return record
    raise RegistryBusyError(training_id=request["training_id"])


def _lost(request: RegisterModelRequest, claim: Claim | None) -> ClaimLostError:
    state = f"{claim.state} by {claim.execution_arn}" if claim else "unclaimed"
    return ClaimLostError(
        subject=request["training_id"], holder=request["execution_arn"], state=state
    )


def _record(
    request: RegisterModelRequest,
    version: int,
    artefact: StoredArtefact,
    metrics: Mapping[str, Any],
    now: str,
) -> ModelRecord:
    state: ModelState = "approved" if request["verdict"] == "promoted" else "rejected"
    return {
        "version": version,
        "model_id": artefact.model_id,
        "state": state,
        "verdict": request["verdict"],
        "reasons": list(request["reasons"]),
        "metrics": dict(metrics),
        "artefact_uri": artefact.uri,
        "artefact_sha256": artefact.sha256,
        "golden_uri": artefact.golden_uri,
        "image_uri": request["image_uri"],
        "dataset_id": request["dataset_id"],
        "config_digest": request["config_digest"],
        "training_id": request["training_id"],
        "evaluation_uri": request["evaluation_uri"],
        "registered_at": now,
    }


def _entries(request: RegisterModelRequest, record: ModelRecord) -> list[Entry]:
    verdict = "; ".join(record["reasons"])
    facts = [
        ("model_trained", f"Trained on dataset {record['dataset_id']}."),
        ("model_judged", f"{record['verdict'].capitalize()}: {verdict}"),
        ("model_registered", f"Registered as version {record['version']}, {record['verdict']}."),
    ]
    evidence = {
        "model": record["model_id"],
        "artefact_sha256": record["artefact_sha256"],
        "dataset": record["dataset_id"],
        "config_digest": record["config_digest"],
        "image": record["image_uri"],
        "evaluation": record["evaluation_uri"],
        "training": record["training_id"],
    }
    return [
        {
            "event_type": event_type,
            "actor": request["execution_arn"],
            "reason": reason,
            "subject": f"v{record['version']}",
            "evidence": evidence,
            "token": f"{event_type}:{record['training_id']}:{record['version']}",
        }
        for event_type, reason in facts
    ]
