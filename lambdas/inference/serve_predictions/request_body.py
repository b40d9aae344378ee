"""Checks a request's body as far as the API knows it: size, JSON, shape, number of instances."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, NoReturn

from lambdas.common.refusals import RefusedError
from lambdas.inference.contract import MAX_BODY_BYTES, MAX_REFERENCE_CHARACTERS
from pipeline_code.inference.contract import JSON, MAX_INSTANCES, PredictionRequest

_SHOWN_CHARACTERS = 80


def check_media_type(content_type: str) -> None:
    """Refuse what says of itself that it is no JSON; what says nothing is taken for JSON."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type and media_type != JSON:
        detail = f"The body is {media_type[:_SHOWN_CHARACTERS]!r}; send {JSON}."
        raise RefusedError(415, "unsupported-media-type", detail, headers={"Accept-Post": JSON})


def read_body(body: str | None, *, is_base64: bool) -> bytes:
    """Give the body's bytes; refuses what is too large or empty."""
    text = body or ""
    # Base64 takes 4 characters for 3 bytes: what is far too large is refused undecoded.
    if len(text) > MAX_BODY_BYTES * 2:
        _refuse_size(len(text))
    content = _decode(text) if is_base64 else text.encode(errors="surrogatepass")
    if len(content) > MAX_BODY_BYTES:
        _refuse_size(len(content))
    if not content.strip():
        raise RefusedError(400, "malformed-json", "The body is empty; send a JSON document.")
    return content


def parse_request(content: bytes) -> PredictionRequest:
    """Give the request; refuses what is not JSON or has another shape."""
    document = _parse(content)
    if not isinstance(document, dict):
        raise _misshapen("", type(document).__name__, 'an object {"instances": [...]}')
    unknown = sorted(set(document) - {"instances", "references"})
    if unknown:
        allowed = "absent: instances and references are the only fields"
        raise _misshapen(f"/{unknown[0]}", "present", allowed)
    instances = document.get("instances")
    if not isinstance(instances, list) or not instances:
        raise _misshapen("/instances", _shown(instances), "a list with at least one instance")
    if len(instances) > MAX_INSTANCES:
        raise RefusedError(
            413,
            "too-many-instances",
            f"The request carries {len(instances)} instances; at most {MAX_INSTANCES} are allowed.",
        )
    _check_each(instances)
    references = document.get("references")
    if references is None:
        return {"instances": instances}
    _check_references(references, len(instances))
    return {"instances": instances, "references": references}


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
    return isinstance(value, str) and 1 <= len(value) <= MAX_REFERENCE_CHARACTERS


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise RefusedError(400, "malformed-body", f"The body is not base64: {error}.") from error


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        detail = f"The body is not UTF-8: {error.reason} at byte {error.start}."
        raise RefusedError(400, "malformed-json", detail) from error
    except json.JSONDecodeError as error:
        detail = (
            f"The body is not JSON: {error.msg} at line {error.lineno}, "
            f"column {error.colno} (character {error.pos})."
        )
        raise RefusedError(400, "malformed-json", detail) from error
    except RecursionError as error:
        detail = "The body is nested too deeply."
        raise RefusedError(400, "malformed-json", detail) from error
    except ValueError as error:
        # A whole number of thousands of digits: Python refuses to convert it.
        raise RefusedError(400, "malformed-json", f"The body is not usable: {error}.") from error


def _refuse_constant(name: str) -> NoReturn:
    detail = f"The body is not JSON: {name} is not a JSON number; use null for a missing value."
    raise RefusedError(400, "malformed-json", detail)


def _refuse_size(size: int) -> NoReturn:
    detail = f"The body has {size} bytes; at most {MAX_BODY_BYTES} are allowed. Send fewer."
    raise RefusedError(413, "body-too-large", detail)


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
