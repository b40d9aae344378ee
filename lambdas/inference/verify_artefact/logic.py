"""Decides whether a model is, byte for byte, the one that was judged and signed."""

from __future__ import annotations

import json
from typing import Protocol

from lambdas.common.errors import DocumentedError
from lambdas.common.ledger import Ledger
from lambdas.common.model_records import ModelRecord
from lambdas.common.model_states import ModelState
from lambdas.common.seals import (
    Manifest,
    Verifier,
    file_fault,
    record_fault,
    signature_fault,
)
from lambdas.common.uris import parent
from lambdas.inference.contract import VerifyArtefactRequest, VerifyArtefactResponse

LEDGER_EVENT = "artefact_refused"


class ArtefactRefusedError(DocumentedError):
    """Model version {version} is not what was signed: {fault}. It is blocked; nothing changed."""


class Models(Protocol):
    """The model repository."""

    def version(self, version: int) -> ModelRecord | None:
        """Read a version's record."""

    def change_state(self, version: int, wanted: ModelState) -> bool:
        """Change a version's state where the table of states allows it; tell success."""


class Files(Protocol):
    """The model store."""

    def content(self, uri: str) -> bytes | None:
        """Read a small file; nothing when it is not there."""

    def digest(self, uri: str) -> tuple[str, int]:
        """Give a file's SHA-256 and size; of one that is not there, an empty digest and -1."""


def verify_artefact(
    request: VerifyArtefactRequest,
    key: str,
    models: Models,
    files: Files,
    verifier: Verifier,
    ledger: Ledger,
) -> VerifyArtefactResponse:
    """Check digests and signature; raises ``ArtefactRefusedError`` after it was recorded."""
    record = models.version(request["version"])
    fault = seal_fault(record, key, files, verifier) if record else "it is not registered"
    if record is None or fault:
        _refuse(request, record, fault, models, ledger)
        raise ArtefactRefusedError(version=request["version"], fault=fault)
    return {"version": request["version"], "artefact_sha256": record["artefact_sha256"]}


def seal_fault(record: ModelRecord, key: str, files: Files, verifier: Verifier) -> str:
    """Say what about a model is not as it was signed; nothing when all is."""
    seal = record.get("seal")
    expected = f"{parent(record['artefact_uri'])}manifests/{record['training_id']}.json"
    # An address that was tampered with is no reason to read what it names.
    if seal is None or seal["manifest_uri"] != expected:
        return "it has no signed manifest where its manifest belongs"
    content = files.content(seal["manifest_uri"])
    if content is None:
        return "its signed manifest is gone"
    fault = signature_fault(seal, content, key, verifier)
    if fault:
        return fault
    manifest: Manifest = json.loads(content)
    return record_fault(record, manifest) or file_fault(manifest, files.digest)


def _refuse(
    request: VerifyArtefactRequest,
    record: ModelRecord | None,
    fault: str,
    models: Models,
    ledger: Ledger,
) -> None:
    ledger.append(
        {
            "event_type": LEDGER_EVENT,
            "actor": request["requested_by"],
            "reason": f"Refused before any traffic: {fault}.",
            "subject": f"v{request['version']}",
            "evidence": {
                "model": record["model_id"] if record else "",
                "artefact_sha256": record["artefact_sha256"] if record else "",
                "execution": request["execution_arn"],
            },
            "token": f"{LEDGER_EVENT}:{request['execution_arn']}:{request['version']}",
        }
    )
    if record:
        models.change_state(request["version"], "blocked")
