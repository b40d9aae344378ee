"""Files that a Spark job has written but not committed: on local disk, never in S3.

Glue's S3-optimised committer shows an object only when its task commits. Keeping uncommitted
output (`_temporary`, `.spark-staging-*`) on disk has the same effect: a rename out of it is the
one upload, no half-written object is ever visible, and the role needs no right on such keys.
"""

from __future__ import annotations

import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from localcloud.spark_filesystem.entries import Entry, Location, is_below, moved


def is_uncommitted(key: str) -> bool:
    """Tell whether a key lies in a folder that only a running job looks at."""
    return any(
        part == "_temporary" or part.startswith(".spark-staging-") for part in key.split("/")
    )


class StagingArea:
    """Uncommitted files and directories of one job run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[Location, Path] = {}
        self._directories: set[Location] = set()
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def new_file(self) -> Path:
        """Name a fresh file on disk to write into."""
        return self._folder / uuid.uuid4().hex

    def add(self, bucket: str, key: str, content: Path) -> None:
        """Register written content under a key; it replaces what was there."""
        with self._lock:
            replaced = self._files.get((bucket, key))
            self._files[bucket, key] = content
        if replaced:
            replaced.unlink(missing_ok=True)

    def make_directory(self, bucket: str, key: str) -> None:
        """Remember a directory, which exists nowhere else."""
        with self._lock:
            self._directories.add((bucket, key))

    def path(self, bucket: str, key: str) -> Path | None:
        """Find the content on disk of a key."""
        return self._files.get((bucket, key))

    def find(self, bucket: str, key: str) -> Entry | None:
        """Describe a key, or tell that it is not here."""
        content = self._files.get((bucket, key))
        if content:
            return _file_entry(key, content)
        with self._lock:
            known = any(b == bucket and is_below(k, key) for b, k in self._all())
        return Entry(key.rsplit("/", 1)[-1], is_directory=True) if known and key else None

    def children(self, bucket: str, key: str) -> dict[str, Entry]:
        """List what lies directly in a directory, by name."""
        prefix = key + "/" if key else ""
        found: dict[str, Entry] = {}
        with self._lock:
            known = [k for b, k in self._all() if b == bucket and k.startswith(prefix) and k != key]
        for below in known:
            name, _, deeper = below[len(prefix) :].partition("/")
            content = None if deeper else self._files.get((bucket, below))
            found[name] = _file_entry(below, content) if content else Entry(name, is_directory=True)
        return found

    def files_below(self, bucket: str, key: str) -> list[str]:
        """List the keys of all files at or below a key."""
        with self._lock:
            return sorted(k for b, k in self._files if b == bucket and is_below(k, key))

    def rename(self, bucket: str, source: str, target: str) -> None:
        """Move a file or a directory within the area."""
        with self._lock:
            self._files = {_renamed(at, bucket, source, target): p for at, p in self._files.items()}
            self._directories = {_renamed(at, bucket, source, target) for at in self._directories}

    def forget(self, bucket: str, key: str) -> bool:
        """Drop everything at or below a key; tell whether there was anything."""
        with self._lock:
            gone = [at for at in self._all() if at[0] == bucket and is_below(at[1], key)]
            contents = [self._files.pop(at) for at in gone if at in self._files]
            self._directories.difference_update(gone)
        for content in contents:
            content.unlink(missing_ok=True)
        return bool(gone)

    def close(self) -> None:
        """Throw everything away."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _all(self) -> Iterator[Location]:
        yield from self._files
        yield from self._directories


def _renamed(at: Location, bucket: str, source: str, target: str) -> Location:
    if at[0] != bucket or not is_below(at[1], source):
        return at
    return bucket, moved(at[1], source, target)


def _file_entry(key: str, content: Path) -> Entry:
    return Entry(
        key.rsplit("/", 1)[-1],
        is_directory=False,
        size=content.stat().st_size,
        modified_milliseconds=int(time.time() * 1000),
    )
