"""What a build leaves: artefacts in S3, and its cache for the next build of the project."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.codebuild.build_files import BuildFilesError, matching, pack
from localcloud.codebuild.buildspec import Artefact, Buildspec
from localcloud.documents import Document
from localcloud.jobs.host import Host


class Delivery:
    """Delivers one build's files."""

    def __init__(self, s3: Any, host: Host, build: Document, folder: Path) -> None:
        self._s3 = s3
        self._build = build
        self._folder = folder
        self._cache = host.folder("codebuild-cache", "projects") / f"{build['projectName']}.tar"

    def deliver(self, specification: Buildspec, source: Path) -> None:
        """Upload the artefacts that the project wants, then keep the cache.

        Raises:
            BuildFilesError: an artefact is wanted and not declared, or matches no file.

        """
        settings = self._build["settings"]
        wanted = settings.get("artifacts", {"type": "NO_ARTIFACTS"})
        if wanted["type"] != "NO_ARTIFACTS":
            self._upload(wanted, specification.artefact, source)
        for each in settings.get("secondaryArtifacts", []):
            name = each["artifactIdentifier"]
            self._upload(each, specification.secondary.get(name), source)
        self._keep_cache(specification, source)

    def restore_cache(self, specification: Buildspec, source: Path) -> None:
        """Unpack what the project's last build kept."""
        if self._caches(specification) and self._cache.exists():
            with tarfile.open(self._cache) as archive:
                archive.extractall(source)  # noqa: S202 - packed here, below

    def _upload(self, wanted: Mapping[str, Any], artefact: Artefact | None, source: Path) -> None:
        if wanted["type"] != "S3":
            message = f"The embedded AWS delivers no artefacts of type {wanted['type']}; it has S3"
            raise BuildFilesError(message)
        if artefact is None:
            message = "CLIENT_ERROR: the build specification declares no such artefact"
            raise BuildFilesError(message)
        bucket, key = wanted["location"], self._key(wanted, artefact)
        if wanted.get("packaging") == "ZIP":
            archive = self._folder / "artefact.zip"
            pack(source, artefact, archive)
            self._s3.upload_file(str(archive), bucket, key)
            archive.unlink()
            return
        for path, name in matching(source, artefact):
            self._s3.upload_file(str(path), bucket, f"{key}/{name}")

    def _key(self, wanted: Mapping[str, Any], artefact: Artefact) -> str:
        own = artefact.name if wanted.get("overrideArtifactName") else wanted.get("name", "")
        space = self._build["id"].partition(":")[2]
        parts = [
            wanted.get("path", "").strip("/"),
            space if wanted.get("namespaceType") == "BUILD_ID" else "",
            (own or artefact.name or self._build["projectName"]).strip("/"),
        ]
        return "/".join(part for part in parts if part)

    def _caches(self, specification: Buildspec) -> bool:
        kind = self._build["settings"].get("cache", {}).get("type", "NO_CACHE")
        return kind != "NO_CACHE" and bool(specification.cache_paths)

    def _keep_cache(self, specification: Buildspec, source: Path) -> None:
        if not self._caches(specification):
            return
        partial = self._cache.with_suffix(".partial")
        with tarfile.open(partial, "w") as archive:
            for pattern in specification.cache_paths:
                path = source / pattern.removesuffix("/**/*").removesuffix("/*")
                if path.exists():
                    archive.add(path, path.relative_to(source).as_posix())
        shutil.move(partial, self._cache)
