"""What exists: one JSON document a resource, in memory and in the state folder."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.scope import Document, Scope

Key = tuple[str, str, str, str]


class Store:
    """Documents by scope, kind and name; a change is on disk when its call returns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._documents: dict[Key, Document] = {}
        for file in sorted(folder.glob("*/*/*/*.json")):
            account, region, kind, name = file.relative_to(folder).with_suffix("").parts
            self._documents[account, region, kind, name] = json.loads(file.read_text("utf-8"))

    def add(self, scope: Scope, kind: str, name: str, document: Document) -> bool:
        """Store a new document; tell whether the name was free."""
        with self._lock:
            key = _key(scope, kind, name)
            if key in self._documents:
                return False
            self._documents[key] = document
            self._write(key)
            return True

    def put(self, scope: Scope, kind: str, name: str, document: Document) -> None:
        """Store a document, instead of any other of its name."""
        with self._lock:
            key = _key(scope, kind, name)
            self._documents[key] = document
            self._write(key)

    def find(self, scope: Scope, kind: str, name: str) -> Document | None:
        """Copy a document, or tell that there is none."""
        with self._lock:
            document = self._documents.get(_key(scope, kind, name))
            return json.loads(json.dumps(document)) if document is not None else None

    def get(self, scope: Scope, kind: str, name: str, missing: str) -> Document:
        """Copy a document, or refuse in the words that the operation uses."""
        document = self.find(scope, kind, name)
        if document is None:
            raise invalid(missing)
        return document

    def change(self, scope: Scope, kind: str, name: str, **changes: object) -> None:
        """Set fields of a document; a deleted one stays deleted."""
        with self._lock:
            key = _key(scope, kind, name)
            if key in self._documents:
                self._documents[key].update(changes)
                self._write(key)

    def append(self, scope: Scope, kind: str, name: str, field: str, item: object) -> None:
        """Add to a list inside a document."""
        with self._lock:
            document = self._documents.get(_key(scope, kind, name), {})
            self.change(scope, kind, name, **{field: [*document.get(field, []), item]})

    def remove(self, scope: Scope, kind: str, name: str) -> bool:
        """Delete a document; tell whether there was one."""
        with self._lock:
            key = _key(scope, kind, name)
            self._file(key).unlink(missing_ok=True)
            return self._documents.pop(key, None) is not None

    def all(self, scope: Scope, kind: str) -> list[Document]:
        """Copy all documents of a kind in a scope."""
        with self._lock:
            names = [k[3] for k in self._documents if k[:3] == (scope.account, scope.region, kind)]
            found = [self.find(scope, kind, name) for name in names]
        return [document for document in found if document is not None]

    def everywhere(self, kind: str) -> Iterator[tuple[Scope, str]]:
        """Name all documents of a kind with their scopes."""
        with self._lock:
            keys = [key for key in self._documents if key[2] == kind]
        for account, region, _, name in keys:
            yield Scope(account, region), name

    def _file(self, key: Key) -> Path:
        return self._folder.joinpath(*key[:3], f"{key[3]}.json")

    def _write(self, key: Key) -> None:
        file = self._file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(self._documents[key]), encoding="utf-8")
        partial.replace(file)


def _key(scope: Scope, kind: str, name: str) -> Key:
    return scope.account, scope.region, kind, name
