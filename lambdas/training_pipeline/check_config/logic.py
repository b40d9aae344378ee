"""Decides whether a configuration that arrived is one to train with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common.clock import Clock
from lambdas.common.digests import digest_of
from lambdas.common.events import Events
from lambdas.common.ledger import Ledger
from lambdas.training_pipeline.accepted_configs import AcceptedConfig, ConfigOutcome
from lambdas.training_pipeline.contract import TRAINING_DUE, CheckConfigRequest
from pipeline_code.training_pipeline.config_document import ensemble_config_of
from pipeline_code.training_pipeline.ensemble_config import EnsembleConfigError


class ConfigDocuments(Protocol):
    """The documents of the config store."""

    def text(self, key: str) -> str:
        """Read a document as it arrived."""

    def published(self) -> Mapping[str, Any]:
        """Read the configuration that is published with the stack."""

    def keep(self, digest: str, config: Mapping[str, Any]) -> None:
        """Keep a configuration under its digest."""


class Outcomes(Protocol):
    """What became of the documents that arrived."""

    def accept(self, accepted: AcceptedConfig) -> None:
        """Make a configuration the one that counts."""

    def note(self, outcome: ConfigOutcome) -> None:
        """Write what became of a document."""


@dataclass(frozen=True)
class ConfigDesk:
    """All that a check reads and writes; ``parse`` turns a document's text into its values."""

    documents: ConfigDocuments
    parse: Callable[[str], object]
    outcomes: Outcomes
    ledger: Ledger
    events: Events
    clock: Clock


def check_config(request: CheckConfigRequest, use_case: str, desk: ConfigDesk) -> ConfigOutcome:
    """Accept a document and ask for its training, or refuse it by its field's name."""
    key = request["key"]
    try:
        document = _document(key, desk)
    except EnsembleConfigError as error:
        outcome: ConfigOutcome = {
            "key": key,
            "state": "refused",
            "at": desk.clock(),
            "field": error.field,
            "reason": str(error),
        }
        _record("config_refused", outcome, request, desk)
        return outcome
    digest = digest_of(document)
    desk.documents.keep(digest, document)
    accepted: AcceptedConfig = {
        "key": key,
        "digest": digest,
        "published_digest": digest_of(desk.documents.published()),
        "at": desk.clock(),
    }
    desk.outcomes.accept(accepted)
    reason = f"the configuration {key} was accepted"
    outcome = {
        "key": key,
        "state": "accepted",
        "at": accepted["at"],
        "digest": digest,
        "reason": reason,
    }
    _record("config_accepted", outcome, request, desk)
    desk.events.announce(
        TRAINING_DUE,
        {
            "use_case": use_case,
            "dataset_id": "",
            "requested_by": request["requested_by"],
            "reason": reason,
        },
    )
    return outcome


def _document(key: str, desk: ConfigDesk) -> Mapping[str, Any]:
    text = desk.documents.text(key)
    try:
        document = desk.parse(text)
    except ValueError as error:
        raise EnsembleConfigError("the document", str(error), "YAML", key) from error
    ensemble_config_of(document, key)
    return document  # type: ignore[return-value]  # the schema says that it is a mapping


def _record(
    event_type: str, outcome: ConfigOutcome, request: CheckConfigRequest, desk: ConfigDesk
) -> None:
    desk.ledger.append(
        {
            "event_type": event_type,
            "actor": request["requested_by"],
            "reason": outcome["reason"],
            "subject": outcome["key"],
            "evidence": {
                "key": outcome["key"],
                "version": request["version"],
                "config_digest": outcome.get("digest", ""),
                "field": outcome.get("field", ""),
            },
            "token": f"{event_type}:{outcome['key']}:{request['version']}",
        }
    )
    # Last: whoever waits for the outcome finds everything else done but the event.
    desk.outcomes.note(outcome)
