"""Requests that nobody generates from a schema: broken encodings, numbers that are none, floods."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import NamedTuple

JSON = "application/json"
MEGABYTE = 1024 * 1024


class Body(NamedTuple):
    """A body, and what it says of itself."""

    name: str
    content: bytes
    content_type: str = JSON
    encoding: str = ""


def bodies() -> Iterator[Body]:
    """Give bodies that no operation takes, or not without looking closely."""
    for number in (
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "9" * 5000,
        "0." + "0" * 5000,
    ):
        yield Body(f"number {number[:12]}", _instance(number))
        yield Body(f"bare {number[:12]}", number.encode())
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        yield Body(f"deep {opening}", (opening * 50_000 + "1" + closing * 50_000).encode())
        yield Body(f"deep in an instance {opening}", _instance(opening * 900 + "1" + closing * 900))
    text = json.dumps({"instances": [{"schedule": {"carrier": "é"}}]})
    for encoding in ("utf-16", "utf-32", "utf-8-sig", "latin-1", "utf-7", "cp037"):
        yield Body(f"in {encoding}", text.replace("\\u00e9", "é").encode(encoding))
    yield Body("half a character", b'{"instances": [{"schedule": {"carrier": "\xc3"}}]}')
    yield Body("lone surrogate", rb'{"instances": [{"schedule": {"carrier": "\ud800"}}]}')
    yield Body("lone surrogate as a name", rb'{"\ud800": 1, "instances": [{"\udfff": 1}]}')
    yield Body("nought bytes", b"\x00" * 64)
    yield Body("a nought in a text", b'{"instances": [{"schedule": {"carrier": "\\u0000"}}]}')
    yield Body("unicode", json.dumps({"instances": [{"🛫\u202e": "😀" * 100}]}).encode())
    yield Body("twice the same name", b'{"instances": [], "instances": [{}], "instances": 1}')
    yield Body("twice the same name inside", b'{"instances": [{"schedule": {}, "schedule": null}]}')
    yield Body("not finished", b'{"instances": [')
    yield Body("two documents", b"{} {}")
    yield Body("only blanks", b" \n\t ")
    yield Body("nothing", b"")
    yield Body("1 MB", _instance('"' + "x" * MEGABYTE + '"'))
    yield Body("7 MB", _instance('"' + "x" * 7 * MEGABYTE + '"'))
    yield Body("7 MB of lists", b'{"instances": [' + b"[]," * (7 * MEGABYTE // 3) + b"[]]}")
    yield Body("many instances", json.dumps({"instances": [{}] * 501}).encode())
    yield Body("squeezed", gzip.compress(text.encode()), JSON, "gzip")
    for content_type in ("text/plain", "application/xml", "multipart/form-data; boundary=x", "",
                         "application/json; charset=utf-16", "image/png", "x" * 2000):  # fmt: skip
        yield Body(f"as {content_type[:20]}", text.encode(), content_type)


def _instance(value: str) -> bytes:
    return f'{{"instances": [{{"schedule": {{"distance_miles": {value}}}}}]}}'.encode()
