"""Registrations and ledger records under concurrent and repeated steps, on the embedded AWS."""

from __future__ import annotations

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

TRAININGS = 8
REPEATS = 3
Client = Callable[[str], Any]


class KnownArtefacts:
    def keep(self, uri: str) -> StoredArtefact:
        return StoredArtefact("0" * 64, "m-1", uri, uri)


class KnownEvaluations:
    def read(self, uri: str) -> dict[str, Any]:
        return {"challenger": {"auc": 0.75}}


class SilentEvents:
    def announce(self, event_type: str, detail: object) -> None:
        """Nobody listens: the registry and the ledger are looked at."""


@pytest.fixture
def tables(bare_platform) -> Iterator[tuple[Client, str, str]]:
    """A model table and a ledger of their own."""
    client = bare_platform.client
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
        "evaluation_uri": "s3://m/e",
        "execution_arn": f"arn:{number}",
    }


def test_every_training_gets_one_version_without_gaps_whoever_comes_when(tables):
    client, models, ledger = tables
    claims = training_claims(client("dynamodb"), models, "demo")
    for number in range(TRAININGS):
        assert claims.put(Claim(f"t-{number}", CLAIMED, f"arn:{number}"), replacing=None)

    def register(number: int) -> tuple[int, int]:
        dynamodb = client("dynamodb")
        own_claims = training_claims(dynamodb, models, "demo")
        records = DynamoModelRecords(dynamodb, models, "demo")
        repository = ModelRepository(
            artefacts=KnownArtefacts(),
            registry=DynamoRegistry(records, own_claims),
            evaluations=KnownEvaluations(),
            claims=own_claims,
            ledger=DynamoLedger(dynamodb, ledger, "demo", utc_now),
            events=SilentEvents(),
        )
        answer = register_model(registration(number), "demo", repository, utc_now)
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
