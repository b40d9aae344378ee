"""An image's signature: over its digest and the digests of its papers, by the environment's key."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from pipeline_code.build_pipeline.contract import SIGNATURE_ALGORITHM, image_key
from pipeline_code.build_pipeline.records import ReleaseRecords, canonical

SIGNATURE, BILL, SCAN = "signature", "sbom", "scan"


class UnsignedImageError(Exception):
    """An image is not what was built, listed, scanned and signed."""


def sign(records: ReleaseRecords, kms: Any, key: str, digest: str) -> dict[str, Any]:
    """Sign an image with its papers, and keep the signature beside them."""
    payload = _payload(records, digest)
    signed = kms.sign(
        KeyId=key,
        Message=hashlib.sha256(canonical(payload)).digest(),
        MessageType="DIGEST",
        SigningAlgorithm=SIGNATURE_ALGORITHM,
    )
    document = {
        "payload": payload,
        "signature": base64.b64encode(signed["Signature"]).decode(),
        "key": key,
        "algorithm": SIGNATURE_ALGORITHM,
    }
    records.write_document(image_key(digest, SIGNATURE), document)
    return document


def check(records: ReleaseRecords, kms: Any, key: str, digest: str) -> None:
    """Check an image's signature, and that its papers are those that were signed.

    Raises:
        UnsignedImageError: there is no signature, or it is of something else.

    """
    document = records.read_document(image_key(digest, SIGNATURE))
    if document is None:
        message = f"Image {digest} has no signature: the pipeline did not make it."
        raise UnsignedImageError(message)
    if document["payload"] != _payload(records, digest):
        message = f"Image {digest}: its papers are not those that were signed."
        raise UnsignedImageError(message)
    try:
        answer = kms.verify(
            KeyId=key,
            Message=hashlib.sha256(canonical(document["payload"])).digest(),
            MessageType="DIGEST",
            Signature=base64.b64decode(document["signature"]),
            SigningAlgorithm=SIGNATURE_ALGORITHM,
        )
    except kms.exceptions.KMSInvalidSignatureException:
        answer = {"SignatureValid": False}
    if not answer["SignatureValid"]:
        message = f"Image {digest}: the signature is not of the key {key}."
        raise UnsignedImageError(message)


def _payload(records: ReleaseRecords, digest: str) -> dict[str, str]:
    papers = {name: records.read_document(image_key(digest, name)) for name in (BILL, SCAN)}
    digests = {name: hashlib.sha256(canonical(paper)).hexdigest() for name, paper in papers.items()}
    return {"image": digest, **digests}
