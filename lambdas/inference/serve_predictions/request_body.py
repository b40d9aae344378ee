"""Checks a request's document as far as the API knows it: shape and number of instances."""

from __future__ import annotations

import json
from typing import Any

from lambdas.common.api_body import parse_json
from lambdas.common.refusals import RefusedError
from lambdas.inference.contract import MAX_REFERENCE_CHARACTERS
from pipeline_code.inference.contract import MAX_INSTANCES, PredictionRequest

_SHOWN_CHARACTERS = 80


def parse_request(content: bytes) -> PredictionRequest:
    """Give the request; refuses what is not JSON or has another shape."""
    document = parse_json(content)
    if not isinstance(document, dict):
        raise _misshapen("", type(document).__name__, 'an object {"instances": [...]}')
    unknown = sorted(set(document) - {"instances", "references", "entities"})
    if unknown:
        allowed = "absent: instances, references and entities are the only fields"
        raise _misshapen(f"/{unknown[0]}", "present", allowed)
    if "entities" in document:
        return _entities(document)
    instances = _counted("/instances", document.get("instances"))
    _check_each(instances)
    references = document.get("references")
    if references is None:
        return {"instances": instances}
    _check_references(references, len(instances))
    return {"instances": instances, "references": references}


def _entities(document: dict[str, Any]) -> PredictionRequest:
    """Read a request that names entities; they are what its predictions refer to."""
    for name in ("instances", "references"):
        if name in document:
            raise _misshapen(f"/{name}", "present", "absent where there are entities")
    entities = _counted("/entities", document["entities"])
    for index, entity in enumerate(entities):
        # The Feature Store takes no identifier of more than one line.
        if not _is_reference(entity) or entity.splitlines() != [entity]:
            allowed = f"a text of 1 to {MAX_REFERENCE_CHARACTERS} characters in one line"
            raise _misshapen(f"/entities/{index}", _shown(entity), allowed)
    return {"instances": [], "entities": entities}


def _counted(pointer: str, entries: Any) -> list[Any]:
    what = pointer.removeprefix("/")
    if not isinstance(entries, list) or not entries:
        raise _misshapen(pointer, _shown(entries), f"a list with at least one of {what}")
    if len(entries) > MAX_INSTANCES:
        raise RefusedError(
            413,
            f"too-many-{what}",
            f"The request carries {len(entries)} {what}; at most {MAX_INSTANCES} are allowed.",
        )
    return entries


def _check_each(instances: list[Any]) -> None:
    for index, instance in enumerate(instances):
        if not isinstance(instance, dict):
            raise _misshapen(f"/instances/{index}", _shown(instance), "an object")


def _check_references(references: Any, instances: int) -> None:
    if not isinstance(references, list) or len(references) != instances:
        raise _misshapen("/references", _shown(references), f"a list of {instances}, as instances")
    for index, reference in enumerate(references):
        if reference is not None and not _is_reference(reference):
            allowed = f"null or a text of 1 to {MAX_REFERENCE_CHARACTERS} characters"
            raise _misshapen(f"/references/{index}", _shown(reference), allowed)


def _is_reference(value: object) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_REFERENCE_CHARACTERS:
        return False
    # No store takes half of a surrogate pair.
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _misshapen(pointer: str, value: str, allowed: str) -> RefusedError:
    where = pointer or "the document"
    return RefusedError(
        400,
        "invalid-request",
        f"The request does not have the right shape: {where} must be {allowed}.",
        errors=[{"pointer": pointer, "value": value, "allowed": allowed}],
    )


def _shown(value: object) -> str:
    if isinstance(value, list | dict):
        return f"{type(value).__name__} of {len(value)}"
    return json.dumps(value)[:_SHOWN_CHARACTERS]
