"""JSON documents of a service by name, in memory and in the state folder."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class Documents:
    """JSON documents by name; every change is on disk before it is answered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._documents: dict[str, Document] = {}
        for file in sorted(folder.glob("*.json")):
            kept = json.loads(file.read_text("utf-8"))
            self._documents[kept["name"]] = kept["document"]

    def put(self, name: str, document: Document) -> None:
        """Keep a document."""
        with self._lock:
            self._documents[name] = document
            self._write(name)

    def add(self, name: str, document: Document) -> bool:
        """Keep a document under a name that is free; tell whether it was."""
        with self._lock:
            if name in self._documents:
                return False
            self.put(name, document)
            return True

    def change(self, name: str, change: Callable[[Document], None]) -> None:
        """Change a document in place."""
        with self._lock:
            change(self._documents[name])
            self._write(name)

    def get(self, name: str) -> Document | None:
        """Copy a document."""
        with self._lock:
            document = self._documents.get(name)
            return None if document is None else json.loads(json.dumps(document))

    def all(self) -> dict[str, Document]:
        """Copy all documents, in the order in which they were first kept."""
        with self._lock:
            copied: dict[str, Document] = json.loads(json.dumps(self._documents))
            return copied

    def remove(self, name: str) -> bool:
        """Forget a document; tell whether there was one."""
        with self._lock:
            if self._documents.pop(name, None) is None:
                return False
            self._file(name).unlink(missing_ok=True)
            return True

    def _write(self, name: str) -> None:
        file = self._file(name)
        partial = file.with_suffix(".partial")
        kept = {"name": name, "document": self._documents[name]}
        partial.write_text(json.dumps(kept), encoding="utf-8")
        partial.replace(file)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name.replace('/', '_').replace(':', '_')}.json"
