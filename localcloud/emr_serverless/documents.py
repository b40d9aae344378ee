"""Applications and job runs as JSON documents, in memory and in the state folder."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud.registry import ServiceError

Document = dict[str, Any]
NUMBERED = "_number"
"""The order in which documents came, which times alone do not tell."""


class Documents:
    """Documents of one kind by id, the newest first; every change is on disk when it returns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.lock = threading.RLock()
        loaded = [json.loads(file.read_text("utf-8")) for file in folder.glob("*.json")]
        self._documents: dict[str, Document] = {each["id"]: each for each in loaded}
        self._last = max((each[NUMBERED] for each in loaded), default=0)

    def add(self, document: Mapping[str, Any]) -> Document:
        """Keep a new document under its id."""
        with self.lock:
            self._last += 1
            now = time.time()
            times = {"createdAt": now, "updatedAt": now}
            made = {**document, **times, NUMBERED: self._last}
            self._documents[made["id"]] = made
            self._write(made)
            return dict(made)

    def change(self, name: str, **fields: object) -> Document:
        """Set fields of a document."""
        with self.lock:
            document = self._documents[name]
            document.update(fields, updatedAt=time.time())
            self._write(document)
            return dict(document)

    def find(self, name: str) -> Document | None:
        """Copy a document."""
        with self.lock:
            found = self._documents.get(name)
            return dict(found) if found else None

    def all(self, keep: Callable[[Document], bool]) -> list[Document]:
        """Copy the documents to keep, the newest first."""
        with self.lock:
            kept = [dict(each) for each in self._documents.values() if keep(each)]
        return sorted(kept, key=lambda each: each[NUMBERED], reverse=True)

    def _write(self, document: Document) -> None:
        file = self._folder / f"{document['id']}.json"
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(document), encoding="utf-8")
        partial.replace(file)


def presented(document: Document, fields: Sequence[str], times: Sequence[str]) -> Document:
    """Give the fields of an answer's shape, times as the API has them."""
    return {
        name: datetime.fromtimestamp(document[name], UTC) if name in times else document[name]
        for name in fields
        if document.get(name) is not None
    }


def page(found: list[Document], parameters: Mapping[str, Any]) -> tuple[list[Document], Document]:
    """Cut one page out of a list; give it and the token of the next one."""
    token = parameters.get("nextToken", "0")
    if not token.isdecimal():
        raise ServiceError("ValidationException", f"nextToken {token!r} is none that was given out")
    start = int(token)
    end = start + int(parameters.get("maxResults", 50))
    return found[start:end], {"nextToken": str(end)} if end < len(found) else {}
