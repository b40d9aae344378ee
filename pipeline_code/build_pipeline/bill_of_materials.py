"""The image's bill of materials: CycloneDX, from what pip resolves for it; no clock, no chance."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

Resolved = Sequence[Mapping[str, Any]]
"""The `install` list of `pip install --report`."""


def bill_of_materials(name: str, digest: str, resolved: Resolved) -> dict[str, Any]:
    """List an image's packages with versions and the digests of their archives."""
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest))
    bom.metadata.component = Component(
        name=name, version=digest, type=ComponentType.CONTAINER, bom_ref=digest
    )
    for package in resolved:
        bom.components.add(_component(package))
    bom.register_dependency(bom.metadata.component, bom.components)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    # When it was written is no property of the image, and would give each run another digest.
    document["metadata"].pop("timestamp", None)
    return dict(document)


def _component(package: Mapping[str, Any]) -> Component:
    name, version = package["metadata"]["name"], package["metadata"]["version"]
    hashes = package.get("download_info", {}).get("archive_info", {}).get("hashes", {})
    url = PackageURL("pypi", name=name.lower().replace("_", "-"), version=version)
    return Component(
        name=name,
        version=version,
        purl=url,
        bom_ref=str(url),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=hashes["sha256"])]
        if "sha256" in hashes
        else [],
    )
