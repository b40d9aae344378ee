"""What a cloud assembly holds: its files by digest, its images, its templates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

TEMPLATE = ".template.json"


class AssemblyError(Exception):
    """A cloud assembly lacks what is asked of it."""


class ImageSource(NamedTuple):
    """What an image is built from, and the digest that names it."""

    digest: str
    folder: Path
    dockerfile: str


def image_source(assembly: Path, dockerfile: str) -> ImageSource:
    """Find the staged context of a Dockerfile.

    Raises:
        AssemblyError: no stack of the assembly builds it.

    """
    for document in _asset_documents(assembly):
        for digest, asset in document.get("dockerImages", {}).items():
            source = asset["source"]
            if source.get("dockerFile") == dockerfile:
                return ImageSource(digest, assembly / source["directory"], dockerfile)
    message = f"No stack in {assembly} builds {dockerfile}"
    raise AssemblyError(message)


def file_digests(assembly: Path) -> list[str]:
    """List the digests of all files that templates refer to, the templates themselves left out."""
    digests = {
        digest
        for document in _asset_documents(assembly)
        for digest, asset in document.get("files", {}).items()
        if not asset["source"].get("path", "").endswith(TEMPLATE)
    }
    return sorted(digests)


def template_digest(assembly: Path, stack_name: str) -> str:
    """Digest a stack's template.

    Raises:
        AssemblyError: the assembly has no such stack.

    """
    manifest = json.loads((assembly / "manifest.json").read_text("utf-8"))
    for artifact in manifest["artifacts"].values():
        properties = artifact.get("properties", {})
        if properties.get("stackName") == stack_name:
            template = assembly / properties["templateFile"]
            return hashlib.sha256(template.read_bytes()).hexdigest()
    message = f"{assembly} holds no stack {stack_name}"
    raise AssemblyError(message)


def _asset_documents(assembly: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(assembly.glob("*.assets.json")):
        yield json.loads(path.read_text("utf-8"))
