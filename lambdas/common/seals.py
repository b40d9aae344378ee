"""The seal of a model: a signed manifest that names every byte that will be served."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypedDict

from lambdas.common.digests import canonical_json

ALGORITHM = "ECDSA_SHA_256"


class FileDigest(TypedDict):
    """A file of a model."""

    uri: str
    sha256: str
    size_bytes: int


class Manifest(TypedDict):
    """What a signature vouches for: the model's files, and what they were made of and judged."""

    model_id: str
    training_id: str
    dataset_id: str
    config_digest: str
    image_uri: str
    verdict: str
    files: dict[str, FileDigest]


class Seal(TypedDict):
    """A model record's own copy of digest and signature of its manifest."""

    manifest_uri: str
    manifest_sha256: str
    signature: str
    """DER in lower-case hex: every text has one reading, so no flipped character goes unseen."""
    signing_key: str
    algorithm: str


class Signer(Protocol):
    """Signs digests with the environment's key."""

    def sign(self, digest: bytes) -> bytes:
        """Give the signature of a SHA-256 digest."""


class Verifier(Protocol):
    """Checks signatures of the environment's key."""

    def is_valid(self, digest: bytes, signature: bytes) -> bool:
        """Tell whether the environment's key signed a SHA-256 digest."""


BOUND = ("model_id", "training_id", "dataset_id", "config_digest", "image_uri", "verdict")
"""What a record and its manifest must agree on."""

ARTEFACT = "artefact"
GOLDEN = "golden"


def manifest_bytes(manifest: Manifest) -> bytes:
    """Write a manifest as the bytes that are signed."""
    return canonical_json(manifest).encode()


def seal_of(uri: str, content: bytes, key: str, signer: Signer) -> Seal:
    """Sign a manifest's bytes."""
    digest = hashlib.sha256(content)
    return {
        "manifest_uri": uri,
        "manifest_sha256": digest.hexdigest(),
        "signature": signer.sign(digest.digest()).hex(),
        "signing_key": key,
        "algorithm": ALGORITHM,
    }


def signature_fault(seal: Seal, content: bytes, key: str, verifier: Verifier) -> str:
    """Say what is wrong with a manifest's digest or signature; nothing when all is right."""
    digest = hashlib.sha256(content)
    if digest.hexdigest() != seal["manifest_sha256"]:
        return "the manifest does not have the digest that the record says"
    if (seal["signing_key"], seal["algorithm"]) != (key, ALGORITHM):
        return f"it is not signed with this environment's key {key} and {ALGORITHM}"
    signature = _from_hex(seal["signature"])
    if signature is None or not verifier.is_valid(digest.digest(), signature):
        return "the manifest's signature is not valid"
    return ""


def record_fault(record: Mapping[str, Any], manifest: Manifest) -> str:
    """Say in what a record and its signed manifest differ."""
    files = manifest["files"]
    claimed = {
        **{name: record[name] for name in BOUND},
        "artefact_uri": record["artefact_uri"],
        "artefact_sha256": record["artefact_sha256"],
        "golden_uri": record["golden_uri"],
    }
    signed = {
        **{name: manifest[name] for name in BOUND},  # type: ignore[literal-required]  # its own keys
        "artefact_uri": files[ARTEFACT]["uri"],
        "artefact_sha256": files[ARTEFACT]["sha256"],
        "golden_uri": files[GOLDEN]["uri"],
    }
    differing = [name for name, value in signed.items() if claimed[name] != value]
    return f"the record's {differing[0]} is not the signed one" if differing else ""


def file_fault(manifest: Manifest, read: Callable[[str], tuple[str, int]]) -> str:
    """Say which file is not the signed one; ``read`` gives a file's SHA-256 and size."""
    for name, file in manifest["files"].items():
        if read(file["uri"]) != (file["sha256"], file["size_bytes"]):
            return f"the {name} does not have the digest that was signed"
    return ""


def _from_hex(text: str) -> bytes | None:
    try:
        content = bytes.fromhex(text)
    except ValueError:
        return None
    return content if content.hex() == text else None
