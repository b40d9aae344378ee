"""Reads a request's body: size, media type, encoding and JSON, whatever it says."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, NoReturn

from lambdas.common.api import ApiRequest
from lambdas.common.refusals import RefusedError
from pipeline_code.inference.contract import JSON

MAX_BODY_BYTES = 512 * 1024
"""A larger request body is refused with 413 before anything reads it."""
_SHOWN_CHARACTERS = 80


def read_document(request: ApiRequest) -> Any:
    """Read a request's JSON document."""
    check_media_type(request.content_type)
    return parse_json(read_body(request.body, is_base64=request.is_base64))


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


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise RefusedError(400, "malformed-body", f"The body is not base64: {error}.") from error


def parse_json(content: bytes) -> Any:
    """Read a JSON document; refuses what is none, and numbers that JSON does not know."""
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
