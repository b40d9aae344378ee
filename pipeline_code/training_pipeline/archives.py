"""Archives of artefacts: unpacked safely, packed with the same bytes from the same content."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

ARCHIVE_NAME = "model.tar.gz"


class ArchiveError(RuntimeError):
    """An archive is missing, altered, or holds what it must not."""


def archive_in(channel: Path) -> Path:
    """Find the ``model.tar.gz`` that SageMaker leaves packed in a channel."""
    archive = channel / ARCHIVE_NAME
    if archive.is_file():
        return archive
    present = sorted(path.name for path in channel.iterdir()) if channel.is_dir() else []
    raise ArchiveError(f"{archive} does not exist; the channel holds {present}")


def unpack(channel: Path, into: Path) -> Path:
    """Unpack the ``model.tar.gz`` of a channel."""
    archive = archive_in(channel)
    into.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "r:gz") as packed:
        for entry in packed:
            _write_entry(packed, entry, into)
    return into


def pack(files: Mapping[str, bytes]) -> bytes:
    """Pack files, by name, into a ``tar.gz`` whose bytes depend on them alone."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
    return gzip.compress(raw.getvalue(), mtime=0)


def file_digests(folder: Path) -> dict[str, str]:
    """Give the SHA-256 of each file of an unpacked artefact, by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def artefact_digest(digests: Mapping[str, str]) -> str:
    """Give the digest of an artefact's content: names and bytes, not how they were packed."""
    lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def _write_entry(packed: tarfile.TarFile, entry: tarfile.TarInfo, into: Path) -> None:
    """Write one file of an archive; before Python 3.11.4 tarfile cannot refuse what leaves it."""
    if entry.isdir():
        return
    content = packed.extractfile(entry) if entry.isfile() else None
    path = (into / entry.name).resolve()
    if content is None or not path.is_relative_to(into.resolve()):
        raise ArchiveError(f"{entry.name}: only files inside of the artefact are allowed")
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as written:
        shutil.copyfileobj(content, written)
