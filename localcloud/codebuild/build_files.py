"""The files of a build: its source unpacked, its artefacts collected, as the project's role."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from localcloud.codebuild.buildspec import Artefact

EXECUTABLE = 0o111


class BuildFilesError(Exception):
    """A build's source cannot be had, or its artefacts cannot be delivered."""


def fetch_source(s3: Any, source: Mapping[str, Any], folder: Path) -> None:
    """Unpack a source into a folder.

    Raises:
        BuildFilesError: its kind is not offered here, or it does not say where it lies.

    """
    folder.mkdir(parents=True, exist_ok=True)
    kind = source.get("type", "NO_SOURCE")
    if kind == "NO_SOURCE":
        return
    if kind != "S3":
        message = f"The embedded AWS fetches no source of type {kind}; it has S3 and NO_SOURCE"
        raise BuildFilesError(message)
    location = str(source.get("location", "")).removeprefix("arn:aws:s3:::")
    bucket, _, key = location.partition("/")
    if not bucket or not key:
        message = f"source.location is {location!r}; it must be bucket/key"
        raise BuildFilesError(message)
    if key.endswith("/"):
        _fetch_folder(s3, bucket, key, folder)
    else:
        _fetch_archive(s3, bucket, key, folder, source.get("version"))


def _fetch_folder(s3: Any, bucket: str, prefix: str, folder: Path) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for item in page.get("Contents", []):
            name = item["Key"].removeprefix(prefix)
            if name and not name.endswith("/"):
                target = _inside(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, item["Key"], str(target))


def _fetch_archive(s3: Any, bucket: str, key: str, folder: Path, version: str | None) -> None:
    archive = folder.with_suffix(".zip")
    extra = {"VersionId": version} if version else {}
    s3.download_file(bucket, key, str(archive), ExtraArgs=extra)
    try:
        unpack(archive, folder)
    finally:
        archive.unlink()


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip with its files' permissions.

    Raises:
        BuildFilesError: it is no zip, or holds a name that leads out of the folder.

    """
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                _inside(folder, member.filename)
                path = Path(opened.extract(member, folder))
                mode = member.external_attr >> 16
                if path.is_file() and mode & EXECUTABLE:
                    path.chmod(path.stat().st_mode | (mode & EXECUTABLE))
    except zipfile.BadZipFile as error:
        message = f"The source is no zip: {error}"
        raise BuildFilesError(message) from error


def _inside(folder: Path, name: str) -> Path:
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        message = f"The source holds the name {name!r}, which leads out of its folder"
        raise BuildFilesError(message)
    return target


def matching(root: Path, artefact: Artefact) -> Iterator[tuple[Path, str]]:
    """Yield each file that an artefact names, and the name that it has in the artefact.

    Raises:
        BuildFilesError: a pattern matches no file.

    """
    base = root / artefact.base_directory
    files = sorted(path for path in base.rglob("*") if path.is_file())
    names = {path.relative_to(base).as_posix(): path for path in files}
    chosen: dict[str, Path] = {}
    for pattern in artefact.files:
        found = {name: path for name, path in names.items() if _matches(name, pattern)}
        if not found:
            message = f"CLIENT_ERROR: no matching artifact paths found for {pattern!r} in {base}"
            raise BuildFilesError(message)
        chosen |= found
    for name, path in chosen.items():
        if not any(_matches(name, pattern) for pattern in artefact.excluded):
            yield path, PurePosixPath(name).name if artefact.discard_paths else name


def _matches(name: str, pattern: str) -> bool:
    """Match as CodeBuild does: ``**/`` is any folders or none, ``*`` stays within one."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("./"))
    return (
        re.fullmatch("".join(words.get(each, re.escape(each)) for each in parts), name) is not None
    )


def pack(root: Path, artefact: Artefact, archive: Path) -> None:
    """Zip the files of an artefact, with their permissions."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for path, name in matching(root, artefact):
            opened.write(path, name)
