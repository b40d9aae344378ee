"""An image's papers are reproducible, and nothing that was not signed is released."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from pipeline_code.build_pipeline.bill_of_materials import bill_of_materials
from pipeline_code.build_pipeline.contract import image_key
from pipeline_code.build_pipeline.image_papers import BILL, SCAN, UnsignedImageError, check, sign
from pipeline_code.build_pipeline.records import ReleaseRecords
from tests.unit.build_pipeline.test_pipeline_changes import FakeS3

DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"
RESOLVED = [
    {
        "metadata": {"name": "lightgbm", "version": "4.7.0"},
        "download_info": {"archive_info": {"hashes": {"sha256": "c" * 64}}},
    },
    {"metadata": {"name": "PyYAML", "version": "6.0.3"}, "download_info": {}},
]


class FakeKms:
    """Keys of one account, which really sign."""

    class exceptions:  # noqa: N801  as boto3 has it
        KMSInvalidSignatureException = InvalidSignature

    def __init__(self):
        self.keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ours", "theirs")}

    def sign(self, **given):
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        return {"Signature": self.keys[given["KeyId"]].sign(given["Message"], algorithm)}

    def verify(self, **given):
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        public = self.keys[given["KeyId"]].public_key()
        public.verify(given["Signature"], given["Message"], algorithm)
        return {"SignatureValid": True}


@pytest.fixture
def kms():
    return FakeKms()


@pytest.fixture
def records():
    kept = ReleaseRecords(FakeS3(), "bucket")
    kept.write_document(image_key(DIGEST, BILL), bill_of_materials("images", DIGEST, RESOLVED))
    kept.write_document(image_key(DIGEST, SCAN), {"scanned": True, "findings": {}})
    return kept


def test_the_bill_of_materials_lists_packages_with_their_digests():
    document = bill_of_materials("images", DIGEST, RESOLVED)

    found = {each["purl"]: each for each in document["components"]}
    assert set(found) == {"pkg:pypi/lightgbm@4.7.0", "pkg:pypi/pyyaml@6.0.3"}
    assert found["pkg:pypi/lightgbm@4.7.0"]["hashes"] == [{"alg": "SHA-256", "content": "c" * 64}]
    assert document["metadata"]["component"]["version"] == DIGEST
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")


def test_the_same_packages_give_the_same_bill():
    assert bill_of_materials("i", DIGEST, RESOLVED) == bill_of_materials("i", DIGEST, RESOLVED)
    assert bill_of_materials("i", DIGEST, RESOLVED) != bill_of_materials("i", OTHER, RESOLVED)


def test_a_signed_image_passes(records, kms):
    sign(records, kms, "ours", DIGEST)

    check(records, kms, "ours", DIGEST)


def test_an_image_without_a_signature_is_refused(records, kms):
    with pytest.raises(UnsignedImageError, match="no signature"):
        check(records, kms, "ours", DIGEST)


def test_a_signature_of_another_key_is_refused(records, kms):
    sign(records, kms, "theirs", DIGEST)

    with pytest.raises(UnsignedImageError, match="not of the key ours"):
        check(records, kms, "ours", DIGEST)


@pytest.mark.parametrize("paper", [BILL, SCAN])
def test_papers_that_changed_since_are_refused(records, kms, paper):
    sign(records, kms, "ours", DIGEST)
    records.write_document(image_key(DIGEST, paper), {"forged": True})

    with pytest.raises(UnsignedImageError, match="not those that were signed"):
        check(records, kms, "ours", DIGEST)


def test_a_signature_of_another_image_is_refused(records, kms):
    document = sign(records, kms, "ours", DIGEST)
    for paper in (BILL, SCAN):
        kept = records.read_document(image_key(DIGEST, paper))
        records.write_document(image_key(OTHER, paper), kept)
    records.write_document(image_key(OTHER, "signature"), document)

    with pytest.raises(UnsignedImageError):
        check(records, kms, "ours", OTHER)


def test_what_is_signed_is_the_digest_of_image_and_papers(records, kms):
    payload = sign(records, kms, "ours", DIGEST)["payload"]

    bill = records._s3.objects[image_key(DIGEST, BILL)]
    assert payload["image"] == DIGEST
    assert payload[BILL] == hashlib.sha256(bill).hexdigest()
