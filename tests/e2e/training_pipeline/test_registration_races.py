"""Registrations and ledger records under concurrent and repeated steps, on the embedded AWS."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambdas.common.claims import CLAIMED, Claim
from lambdas.common.clock import utc_now
from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.dynamo_model_records import DynamoModelRecords
from lambdas.common.ledger import verify_chain
from lambdas.training_pipeline.register_model.adapters import DynamoRegistry
from lambdas.training_pipeline.register_model.logic import (
    ModelRepository,
    StoredArtefact,
    register_model,
)
from lambdas.training_pipeline.tables import training_claims

TRAININGS = int(os.environ.get("FOURBLOCKS_REGISTRATIONS", "8"))
REPEATS = 3
ROUNDS = int(os.environ.get("FOURBLOCKS_REGISTRATION_ROUNDS", "1"))
Client = Callable[[str], Any]


class KnownArtefacts:
    def keep(self, uri: str) -> StoredArtefact:
        file = {"uri": uri, "sha256": "0" * 64, "size_bytes": 1}
        return StoredArtefact("m-1", file, file)


class KnownSeals:
    def seal(self, manifest: Any) -> dict[str, str]:
        return {
            "manifest_uri": "s3://m/manifest",
            "manifest_sha256": "1" * 64,
            "signature": "00",
            "signing_key": "key",
            "algorithm": "ECDSA_SHA_256",
        }


class KnownPapers:
    def evaluation(self, uri: str) -> dict[str, Any]:
        return {"challenger": {"auc": 0.75}}

    def config(self, digest: str) -> dict[str, Any]:
        return {}

    def card_uri(self, model_id: str, version: int) -> str:
        return f"s3://m/{model_id}/v{version}"

    def write_card(self, uri: str, card: object) -> None:
        """Cards are for people: the registry and the ledger are looked at."""


class NoPackages:
    def mirror(self, version: int) -> None:
        """Nobody looks at the mirror here."""


class SilentEvents:
    def announce(self, event_type: str, detail: object) -> None:
        """Nobody listens: the registry and the ledger are looked at."""


@pytest.fixture
def tables(embedded_aws) -> Iterator[tuple[Client, str, str]]:
    """A model table and a ledger of their own."""
    client = embedded_aws.client
    dynamodb = client("dynamodb")
    suffix = uuid.uuid4().hex[:8]
    names = (f"race-models-{suffix}", f"race-ledger-{suffix}")
    keys = ((("pk", "S"), ("sk", "S")), (("chain", "S"), ("sequence", "N")))
    for name, ((hash_key, hash_kind), (range_key, range_kind)) in zip(names, keys, strict=True):
        dynamodb.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": hash_key, "KeyType": "HASH"},
                {"AttributeName": range_key, "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": hash_key, "AttributeType": hash_kind},
                {"AttributeName": range_key, "AttributeType": range_kind},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        dynamodb.get_waiter("table_exists").wait(TableName=name)
    yield (client, *names)
    for name in names:
        dynamodb.delete_table(TableName=name)


def registration(number: int) -> dict[str, Any]:
    return {
        "training_id": f"t-{number}",
        "dataset_id": "d-1",
        "config_digest": "c",
        "image_uri": "i",
        "artefact_uri": "s3://m/a",
        "verdict": "promoted",
        "reasons": ["good"],
        "rules": [],
        "evaluation_uri": "s3://m/e",
        "execution_arn": f"arn:{number}",
        "requested_by": "somebody",
    }


class LostResponse(DynamoRegistry):
    """A registry whose first successful write is not heard of, as when a response is lost."""

    heard = False

    def add(self, record: Any, claim: Claim, *, replacing: Claim) -> bool:
        added = super().add(record, claim, replacing=replacing)
        if added and not self.heard:
            self.heard = True
            raise ConnectionError("the response was lost")
        return added


def repository(
    client: Client, models: str, ledger: str, kind: type[DynamoRegistry] = DynamoRegistry
) -> ModelRepository:
    dynamodb = client("dynamodb")
    own_claims = training_claims(dynamodb, models, "demo")
    return ModelRepository(
        artefacts=KnownArtefacts(),
        seals=KnownSeals(),
        registry=kind(DynamoModelRecords(dynamodb, models, "demo"), own_claims),
        papers=KnownPapers(),
        packages=NoPackages(),
        claims=own_claims,
        ledger=DynamoLedger(dynamodb, ledger, "demo", utc_now),
        events=SilentEvents(),
        approval="automatic",
        code_commit="unknown",
    )


def test_a_replay_after_a_lost_response_registers_once(tables):
    client, models, ledger = tables
    claims = training_claims(client("dynamodb"), models, "demo")
    assert claims.put(Claim("t-0", CLAIMED, "arn:0"), replacing=None)

    with pytest.raises(ConnectionError, match="lost"):
        register_model(
            registration(0), "demo", repository(client, models, ledger, LostResponse), utc_now
        )
    answers = [
        register_model(registration(0), "demo", repository(client, models, ledger), utc_now)
        for _ in range(3)
    ]

    assert [answer["version"] for answer in answers] == [1, 1, 1]
    assert DynamoModelRecords(client("dynamodb"), models, "demo").version(2) is None
    chain = list(DynamoLedger(client("dynamodb"), ledger, "demo", utc_now).records())
    assert len(chain) == 3


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_every_training_gets_one_version_without_gaps_whoever_comes_when(tables, round_number):
    client, models, ledger = tables
    claims = training_claims(client("dynamodb"), models, "demo")
    for number in range(TRAININGS):
        assert claims.put(Claim(f"t-{number}", CLAIMED, f"arn:{number}"), replacing=None)

    def register(number: int) -> tuple[int, int]:
        answer = register_model(
            registration(number), "demo", repository(client, models, ledger), utc_now
        )
        return number, answer["version"]

    with ThreadPoolExecutor(TRAININGS * REPEATS) as pool:
        answers = list(pool.map(register, list(range(TRAININGS)) * REPEATS))

    versions = dict(answers)
    assert set(answers) == set(versions.items()), "a repeated step gave another version"
    assert sorted(versions.values()) == list(range(1, TRAININGS + 1))
    records = DynamoModelRecords(client("dynamodb"), models, "demo")
    for number, version in versions.items():
        assert records.version(version)["training_id"] == f"t-{number}"
    chain = list(DynamoLedger(client("dynamodb"), ledger, "demo", utc_now).records())
    assert verify_chain(chain) == 3 * TRAININGS
    assert len({record["token"] for record in chain}) == 3 * TRAININGS
