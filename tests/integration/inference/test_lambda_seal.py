"""The seal of a model through the handlers, on moto: one flipped byte anywhere is refused."""

from __future__ import annotations

import hashlib
import io
import json

import pytest

from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.items import to_attribute
from lambdas.inference.verify_artefact.logic import ArtefactRefusedError, seal_fault
from tests.integration.conftest import artefact
from tests.integration.training_pipeline.test_lambda_functions import CONFIG, register

KEYS = {"pk": {"S": "MODEL#demo"}, "sk": {"S": "V#00000001"}}
REQUEST = {"execution_arn": "run-1", "version": 1, "requested_by": "somebody"}
SEALED = ("manifest_uri", "manifest_sha256", "signature", "signing_key", "algorithm")
BOUND = (
    "model_id",
    "training_id",
    "dataset_id",
    "config_digest",
    "image_uri",
    "verdict",
    "artefact_uri",
    "artefact_sha256",
    "golden_uri",
)


@pytest.fixture
def registered(world, call):
    item = {
        "pk": {"S": "DATASET#demo"},
        "dataset_id": {"S": "d-1"},
        "manifest_uri": {"S": "s3://model-input/datasets/d-1/manifest.json"},
    }
    for sort_key in ("LATEST", "d-1"):
        world.dynamodb.put_item(TableName="metadata", Item={**item, "sk": {"S": sort_key}})
    world.put("config-store", "published.json", CONFIG)
    register(world, call, artefact(golden=b'{"request": 1}\n'))
    return world.item("models", "MODEL#demo", "V#00000001")


def flipped(text: str, position: int) -> str:
    return text[:position] + chr(ord(text[position]) ^ 1) + text[position + 1 :]


def store(world, record):
    item = {name: to_attribute(value) for name, value in record.items()}
    world.dynamodb.put_item(TableName="models", Item={**item, **KEYS})


class Cached:
    """The model store with one file changed, read once: thousands of flips need no network."""

    def __init__(self, world, record):
        self.files = {}
        listing = world.s3.list_objects_v2(Bucket="model-store", Prefix="models/")["Contents"]
        for entry in listing:
            uri = f"s3://model-store/{entry['Key']}"
            self.files[uri] = world.read("model-store", entry["Key"])

    def content(self, uri):
        return self.files.get(uri)

    def digest(self, uri):
        content = self.files.get(uri)
        return (hashlib.sha256(content).hexdigest(), len(content)) if content else ("", -1)


class MotoVerifier:
    def __init__(self, world, key):
        self.world, self.key = world, key

    def is_valid(self, digest, signature):
        try:
            answer = self.world.kms.verify(
                KeyId=self.key,
                Message=digest,
                MessageType="DIGEST",
                Signature=signature,
                SigningAlgorithm="ECDSA_SHA_256",
            )
        except self.world.kms.exceptions.KMSInvalidSignatureException:
            return False
        return answer["SignatureValid"]


def test_what_was_signed_is_verified(registered, call):
    answer = call("inference", "verify_artefact", REQUEST)
    assert answer == {"version": 1, "artefact_sha256": registered["artefact_sha256"]}


def test_one_flipped_byte_in_any_file_is_found_in_every_case(world, registered):
    key = registered["seal"]["signing_key"]
    files, verifier = Cached(world, registered), MotoVerifier(world, key)
    assert seal_fault(registered, key, files, verifier) == ""
    served = [
        registered["artefact_uri"],
        registered["golden_uri"],
        registered["seal"]["manifest_uri"],
    ]
    flips, found = 0, 0
    for uri in served:
        whole = files.files[uri]
        for position in range(len(whole)):
            changed = bytearray(whole)
            changed[position] ^= 1 << (position % 8)
            files.files[uri] = bytes(changed)
            flips += 1
            found += bool(seal_fault(registered, key, files, verifier))
        files.files[uri] = whole
    assert flips > 500
    assert found == flips


def test_one_flipped_character_in_the_digest_record_is_found_in_every_case(world, registered):
    key = registered["seal"]["signing_key"]
    files, verifier = Cached(world, registered), MotoVerifier(world, key)
    flips, found = 0, 0
    for name in BOUND:
        for position in range(len(registered[name])):
            changed = {**registered, name: flipped(registered[name], position)}
            flips += 1
            found += bool(seal_fault(changed, key, files, verifier))
    for name in SEALED:
        for position in range(len(registered["seal"][name])):
            seal = {**registered["seal"], name: flipped(registered["seal"][name], position)}
            flips += 1
            found += bool(seal_fault({**registered, "seal": seal}, key, files, verifier))
    assert flips > 600
    assert found == flips


def test_a_hex_digit_in_upper_case_is_no_second_way_to_write_a_signature(world, registered):
    key = registered["seal"]["signing_key"]
    seal = {**registered["seal"], "signature": registered["seal"]["signature"].upper()}
    changed = {**registered, "seal": seal}
    assert "signature" in seal_fault(
        changed, key, Cached(world, registered), MotoVerifier(world, key)
    )


@pytest.mark.parametrize("kind", ["artefact", "manifest", "record", "gone", "unsigned"])
def test_what_is_not_what_was_signed_is_refused_recorded_and_blocked(world, registered, call, kind):
    record = {**registered, "pk": "MODEL#demo", "sk": "V#00000001"}
    artefact_key = registered["artefact_uri"].removeprefix("s3://model-store/")
    if kind == "artefact":
        content = bytearray(world.read("model-store", artefact_key))
        content[len(content) // 2] ^= 1
        world.put("model-store", artefact_key, bytes(content))
    elif kind in ("manifest", "gone"):
        key = registered["seal"]["manifest_uri"].removeprefix("s3://model-store/")
        if kind == "gone":
            world.s3.delete_object(Bucket="model-store", Key=key)
        else:
            world.put("model-store", key, world.read("model-store", key).replace(b"d-1", b"d-2"))
    elif kind == "record":
        store(world, {**record, "artefact_sha256": flipped(record["artefact_sha256"], 3)})
    else:
        store(world, {name: value for name, value in record.items() if name != "seal"})

    with pytest.raises(ArtefactRefusedError, match="version 1 is not what was signed"):
        call("inference", "verify_artefact", REQUEST)

    assert world.item("models", "MODEL#demo", "V#00000001")["state"] == "blocked"
    records = list(DynamoLedger(world.dynamodb, "ledger", "demo", str).records())
    assert [entry["event_type"] for entry in records][-1] == "artefact_refused"
    assert records[-1]["reason"].startswith("Refused before any traffic")


def test_a_seal_of_another_model_is_not_this_models_seal(world, registered, call):
    world.put("config-store", "published.json", {**CONFIG, "seed": 8})
    register(world, call, artefact(golden=b'{"request": 2}\n'))
    other = world.item("models", "MODEL#demo", "V#00000002")
    forged = {**registered, "artefact_uri": other["artefact_uri"], "seal": other["seal"]}
    store(world, forged)
    with pytest.raises(ArtefactRefusedError):
        call("inference", "verify_artefact", REQUEST)


def test_the_manifest_names_every_file_with_its_digest(world, registered):
    key = registered["seal"]["manifest_uri"].removeprefix("s3://model-store/")
    manifest = json.loads(world.read("model-store", key))
    for file in manifest["files"].values():
        content = world.read("model-store", file["uri"].removeprefix("s3://model-store/"))
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert len(content) == file["size_bytes"]
    assert set(manifest["files"]) == {"artefact", "golden"}
    assert io.BytesIO(content).read() == b'{"request": 1}\n'
