"""What a caller asks for beside the body, in SageMaker's custom attributes."""

from __future__ import annotations

from http import HTTPStatus

from pipeline_code.inference.answers import RefusedError
from pipeline_code.inference.contract import (
    ATTRIBUTES_HEADER,
    MAX_EXPLAINED,
    MAX_REASONS,
    REASONS_ATTRIBUTE,
)
from pipeline_code.inference.http_server import Request


def reasons_asked(request: Request) -> int:
    """Tell how many reasons of each answer are asked for; attributes of others do not matter."""
    text = request.headers.get(ATTRIBUTES_HEADER, "")
    pairs = dict(part.strip().partition("=")[::2] for part in text.split(","))
    asked = pairs.get(REASONS_ATTRIBUTE)
    if asked is None:
        return 0
    if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked[:9]) <= MAX_REASONS:
        detail = f"{REASONS_ATTRIBUTE} is {asked[:50]!r}, must be a number from 1 to {MAX_REASONS}."
        raise RefusedError(HTTPStatus.BAD_REQUEST, detail)
    return int(asked)


def check_explained(rows: int) -> None:
    """Refuse to explain too many rows at once."""
    if rows > MAX_EXPLAINED:
        detail = f"At most {MAX_EXPLAINED} rows are explained at once, {rows} came."
        raise RefusedError(HTTPStatus.BAD_REQUEST, detail)
