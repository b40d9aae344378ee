"""The file system one job run sees: committed objects in S3, uncommitted output on disk."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localcloud.spark_filesystem.entries import Entry, joined, last_name, moved
from localcloud.spark_filesystem.object_store import S3Tree
from localcloud.spark_filesystem.staging import StagingArea, is_uncommitted

UPLOADS_AT_ONCE = 8


class RunFileSystem:
    """What Hadoop asks of a file system, answered from both stores."""

    def __init__(self, objects: S3Tree, staging: StagingArea) -> None:
        self._objects = objects
        self._staging = staging

    def status(self, bucket: str, key: str) -> Entry:
        """Describe a path."""
        found = self._staging.find(bucket, key)
        if found is None and not is_uncommitted(key):
            found = self._objects.find(bucket, key)
        if found is None:
            raise FileNotFoundError(f"File does not exist: s3://{bucket}/{key}")
        return found

    def children(self, bucket: str, key: str) -> list[Entry]:
        """List a directory, or the one file that the path names."""
        staged = self._staging.children(bucket, key)
        kept = {} if is_uncommitted(key) else self._objects.children(bucket, key)
        found = {**kept, **staged}
        if not found:
            itself = self.status(bucket, key)
            return [] if itself.is_directory else [Entry("", False, itself.size)]
        return [found[name] for name in sorted(found)]

    def read(self, bucket: str, key: str, offset: int, length: int) -> tuple[int, Iterator[bytes]]:
        """Open a file at an offset; a negative length reads to its end."""
        entry = self.status(bucket, key)
        if entry.is_directory:
            raise FileNotFoundError(f"s3://{bucket}/{key} is a directory")
        end = entry.size if length < 0 else min(entry.size, offset + length)
        staged = self._staging.path(bucket, key)
        pieces = (
            _read_file(staged, offset, end)
            if staged
            else self._objects.read(bucket, key, offset, end)
        )
        return max(0, end - offset), pieces

    def new_file(self) -> Path:
        """Name a file on disk to write the content of a path into before `write`."""
        return self._staging.new_file()

    def write(self, bucket: str, key: str, content: Path) -> None:
        """Store written content: on disk while uncommitted, else in S3. Takes the file over."""
        if is_uncommitted(key):
            self._staging.add(bucket, key, content)
            return
        try:
            self._objects.write(bucket, key, content)
        finally:
            content.unlink(missing_ok=True)

    def make_directory(self, bucket: str, key: str) -> None:
        """Make a directory; S3 has none, so it lives as long as the run or its first object."""
        self._staging.make_directory(bucket, key)

    def rename(self, bucket: str, source: str, target: str) -> bool:
        """Move a file or a directory; onto an existing directory means into it."""
        if not is_uncommitted(source):
            return self._objects.rename(bucket, source, self._landing(bucket, source, target))
        if self._staging.find(bucket, source) is None:
            return False
        landing = self._landing(bucket, source, target)
        if not is_uncommitted(landing):
            self._commit(bucket, source, landing)
        self._staging.rename(bucket, source, landing)
        return True

    def delete(self, bucket: str, key: str) -> bool:
        """Delete a file or a directory with all below it; tell whether there was anything."""
        staged = self._staging.forget(bucket, key)
        kept = not is_uncommitted(key) and self._objects.delete(bucket, key)
        return staged or kept

    def summary(self, bucket: str, key: str) -> tuple[int, int]:
        """Count the committed files at or below a path and their bytes."""
        entry = self.status(bucket, key)
        return self._objects.size_below(bucket, key) if entry.is_directory else (1, entry.size)

    def _landing(self, bucket: str, source: str, target: str) -> str:
        try:
            existing = self.status(bucket, target)
        except FileNotFoundError:
            return target
        return joined(target, last_name(source)) if existing.is_directory else target

    def _commit(self, bucket: str, source: str, target: str) -> None:
        def upload(key: str) -> None:
            content = self._staging.path(bucket, key)
            if content is None:
                raise FileNotFoundError(f"s3://{bucket}/{key} vanished while it was committed")
            self._objects.write(bucket, moved(key, source, target), content)
            self._staging.forget(bucket, key)

        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            list(pool.map(upload, self._staging.files_below(bucket, source)))


def _read_file(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        remaining = end - start
        while remaining > 0 and (piece := file.read(min(1 << 20, remaining))):
            remaining -= len(piece)
            yield piece
