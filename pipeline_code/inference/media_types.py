"""Which formats a request may have and an answer may take, and how they are named in HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from pipeline_code.inference.answers import RefusedError
from pipeline_code.inference.contract import JSON

JSON_LINES = "application/jsonlines"
CSV = "text/csv"
PARQUET = "application/x-parquet"
ARROW = "application/vnd.apache.arrow.stream"
FORMATS = (JSON, JSON_LINES, CSV, PARQUET, ARROW)
ALSO_NAMED = {
    "application/x-jsonlines": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/vnd.apache.parquet": PARQUET,
}
ANYTHING = ("", "*/*", "application/*")
SHOWN_CHARACTERS = 100


class MediaType(NamedTuple):
    """A format, and the parameters given with it."""

    name: str
    parameters: dict[str, str]

    @property
    def header(self) -> bool | None:
        """Whether a table of text begins with names, if that is said (RFC 4180)."""
        said = self.parameters.get("header")
        return None if said is None else said == "present"


def parse(text: str) -> MediaType:
    """Take a media type apart; names are in lower case, other names of a format are its own."""
    name, *parts = (part.strip() for part in text.split(";"))
    pairs = (part.partition("=") for part in parts)
    parameters = {key.strip().lower(): value.strip().strip('"').lower() for key, _, value in pairs}
    lower = name.lower()
    return MediaType(ALSO_NAMED.get(lower, lower), parameters)


def of_request(content_type: str) -> MediaType:
    """Find out a request's format."""
    found = parse(content_type)
    if found.name not in FORMATS:
        shown = found.name[:SHOWN_CHARACTERS]
        detail = f"The media type {shown!r} is not supported, send one of {', '.join(FORMATS)}."
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    return found


def of_answer(accept: str, request: MediaType) -> MediaType:
    """Choose the format of an answer: what is accepted first, or what the request has."""
    wanted = [parse(part) for part in accept.split(",")]
    for one in wanted:
        if one.name in ANYTHING:
            return MediaType(request.name, {})
        if one.name in FORMATS:
            return one
    shown = accept[:SHOWN_CHARACTERS]
    detail = f"Nothing of {shown!r} can be given, accept one of {', '.join(FORMATS)}."
    raise RefusedError(HTTPStatus.NOT_ACCEPTABLE, detail)
