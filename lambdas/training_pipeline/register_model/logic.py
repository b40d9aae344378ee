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
from lambdas.common.model_packages import Packages
from lambdas.common.model_records import JudgedModel, ModelRecord
from lambdas.common.model_states import ModelState
from lambdas.common.seals import ARTEFACT, GOLDEN, FileDigest, Manifest, Seal
from lambdas.training_pipeline.contract import (
    MODEL_REGISTERED,
    MODEL_REJECTED,
    TRAINING_REGISTERED,
    Approval,
    ModelJudged,
    RegisterModelRequest,
    RegisterModelResponse,
    Verdict,
)
from lambdas.training_pipeline.register_model.card import model_card

ATTEMPTS = 200
"""Each lost race means that another model was registered meanwhile."""


class RegistryBusyError(DocumentedError):
    """The model repository did not give training {training_id} a version; try again."""


class ArtefactIncompleteError(DocumentedError):
    """The artefact {uri} does not hold {member}, by which its deployment is verified."""


class StoredArtefact(NamedTuple):
    """An artefact under its own digest, and the golden requests that lay in it."""

    model_id: str
    artefact: FileDigest
    golden: FileDigest


class Artefacts(Protocol):
    """The artefacts of models, each under its own digest."""

    def keep(self, uri: str) -> StoredArtefact:
        """Copy an artefact, and the golden requests in it, to where its digest says."""


class Seals(Protocol):
    """Where signed manifests are made and kept."""

    def seal(self, manifest: Manifest) -> Seal:
        """Store a manifest beside its model, and sign it."""


class Registry(Protocol):
    """The versions of a model."""

    def last_version(self) -> int:
        """Give the version that was registered last; 0 before the first."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""

    def add(self, record: ModelRecord, claim: Claim, *, replacing: Claim) -> bool:
        """Write the version after the last and end the claim, all or nothing; tell success."""


class Papers(Protocol):
    """What verdicts rest on, and what is written about models."""

    def evaluation(self, uri: str) -> Mapping[str, Any]:
        """Read an evaluation."""

    def config(self, digest: str) -> Mapping[str, Any]:
        """Read the configuration of a training."""

    def card_uri(self, model_id: str, version: int) -> str:
        """Say where a version's card lies."""

    def write_card(self, uri: str, card: Mapping[str, Any]) -> None:
        """Write a model card."""


@dataclass(frozen=True)
class ModelRepository:
    """All that a registration writes to."""

    artefacts: Artefacts
    seals: Seals
    registry: Registry
    papers: Papers
    packages: Packages
    claims: Claims
    ledger: Ledger
    events: Events
    approval: Approval
    code_commit: str
    """Commit that the environment was deployed from."""


def register_model(
    request: RegisterModelRequest, use_case: str, repository: ModelRepository, clock: Clock
) -> RegisterModelResponse:
    """Register a judged model; a repeated call gives the version that the first one gave."""
    claim = repository.claims.get(request["training_id"])
    record = _registered(claim, repository) or _register(request, repository, clock)
    _write_card(record, use_case, repository.papers)
    for entry in _entries(request, record):
        repository.ledger.append(entry)
    repository.packages.mirror(record["version"])
    detail: ModelJudged = {
        "use_case": use_case,
        "version": record["version"],
        "model_id": record["model_id"],
        "training_id": record["training_id"],
        "reasons": record["reasons"],
    }
    rejected = record["verdict"] == "rejected"
    repository.events.announce(MODEL_REJECTED if rejected else MODEL_REGISTERED, detail)
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
    evaluation = repository.papers.evaluation(request["evaluation_uri"])
    seal = repository.seals.seal(_manifest(request, artefact))
    for _ in range(ATTEMPTS):
        # One reading decides: a second one may see what a repeated step has done meanwhile.
        claim = repository.claims.get(request["training_id"])
        registered = _registered(claim, repository)
        if registered:
            return registered
        if claim is None or not claim.is_held_by(request["execution_arn"]):
            raise _lost(request, claim)
        version = repository.registry.last_version() + 1
        record: ModelRecord = {
            "version": version,
            "state": state_at_birth(request["verdict"], repository.approval),
            "metrics": dict(evaluation["challenger"]),
            "code_commit": repository.code_commit,
            "card_uri": repository.papers.card_uri(artefact.model_id, version),
            "champion_version": claim.facts.get("champion_version"),
            "members": claim.facts.get("members", {}),
            "registered_at": clock(),
            **_judged(request, artefact, seal),  # type: ignore[typeddict-item]  # its own keys
        }
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


def state_at_birth(verdict: Verdict, approval: Approval) -> ModelState:
    """Say how a judged model begins: a candidate waits for a person."""
    if verdict == "rejected":
        return "rejected"
    return "approved" if verdict == "promoted" and approval == "automatic" else "candidate"


def _manifest(request: RegisterModelRequest, artefact: StoredArtefact) -> Manifest:
    return {
        "model_id": artefact.model_id,
        "training_id": request["training_id"],
        "dataset_id": request["dataset_id"],
        "config_digest": request["config_digest"],
        "image_uri": request["image_uri"],
        "verdict": request["verdict"],
        "files": {ARTEFACT: artefact.artefact, GOLDEN: artefact.golden},
    }


def _judged(request: RegisterModelRequest, artefact: StoredArtefact, seal: Seal) -> JudgedModel:
    return {
        "model_id": artefact.model_id,
        "verdict": request["verdict"],
        "reasons": list(request["reasons"]),
        "rules": [dict(rule) for rule in request["rules"]],
        "artefact_uri": artefact.artefact["uri"],
        "artefact_sha256": artefact.artefact["sha256"],
        "golden_uri": artefact.golden["uri"],
        "image_uri": request["image_uri"],
        "dataset_id": request["dataset_id"],
        "config_digest": request["config_digest"],
        "training_id": request["training_id"],
        "evaluation_uri": request["evaluation_uri"],
        "seal": seal,
        "requested_by": request["requested_by"],
        "execution_arn": request["execution_arn"],
    }


def _write_card(record: ModelRecord, use_case: str, papers: Papers) -> None:
    config = papers.config(record["config_digest"])
    evaluation = papers.evaluation(record["evaluation_uri"])
    papers.write_card(record["card_uri"], model_card(record, use_case, config, evaluation))


def _entries(request: RegisterModelRequest, record: ModelRecord) -> list[Entry]:
    verdict = "; ".join(record["reasons"])
    facts = [
        ("model_trained", f"Trained on dataset {record['dataset_id']}."),
        ("model_judged", f"{record['verdict'].capitalize()}: {verdict}"),
        (
            "model_registered",
            f"Registered as version {record['version']}, {record['verdict']}, {record['state']}.",
        ),
    ]
    evidence = {
        "model": record["model_id"],
        "artefact_sha256": record["artefact_sha256"],
        "dataset": record["dataset_id"],
        "config_digest": record["config_digest"],
        "image": record["image_uri"],
        "evaluation": record["evaluation_uri"],
        "training": record["training_id"],
        "manifest_sha256": record["seal"]["manifest_sha256"],
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
