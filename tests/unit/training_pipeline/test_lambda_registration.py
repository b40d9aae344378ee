"""Registration: one version a training, whoever is faster."""

from __future__ import annotations

import pytest

from lambdas.common.claims import CLAIMED, RELEASED, Claim
from lambdas.common.errors import ClaimLostError
from lambdas.training_pipeline.contract import TRAINING_REGISTERED
from lambdas.training_pipeline.register_model.logic import (
    ModelRepository,
    RegistryBusyError,
    StoredArtefact,
    register_model,
)
from tests.unit.common.fakes import FakeClaims, FakeEvents, FakeLedger, FakePackages

CLAIM = Claim("t-1", CLAIMED, "me", {"dataset_id": "d-1"})
REQUEST = {
    "training_id": "t-1",
    "dataset_id": "d-1",
    "config_digest": "c",
    "image_uri": "i",
    "artefact_uri": "s3://m/a",
    "verdict": "promoted",
    "reasons": ["good"],
    "rules": [],
    "evaluation_uri": "evaluation",
    "execution_arn": "me",
    "requested_by": "somebody",
}
SEAL = {
    "manifest_uri": "s3://m/manifest",
    "manifest_sha256": "1" * 64,
    "signature": "00",
    "signing_key": "key",
    "algorithm": "ECDSA_SHA_256",
}


class FakeArtefacts:
    def keep(self, uri):
        file = {"uri": uri, "sha256": "0" * 64, "size_bytes": 1}
        return StoredArtefact("m-0", file, file)


class FakeSeals:
    def seal(self, manifest):
        return SEAL


class FakePapers:
    def __init__(self):
        self.cards = {}

    def evaluation(self, uri):
        return {"evaluation": {"challenger": {"auc": 0.75}}}[uri]

    def config(self, digest):
        return {"c": {"seed": 7, "intended_use": "to test", "members": [{"name": "first"}]}}[digest]

    def card_uri(self, model_id, version):
        return f"s3://m/{model_id}/v{version}"

    def write_card(self, uri, card):
        self.cards[uri] = card


class FakeRegistry:
    """Versions in memory; rivals register theirs just before our first writes."""

    def __init__(self, claims, *, rivals=0):
        self.claims = claims
        self.rivals = rivals
        self.versions = {}

    def last_version(self):
        return len(self.versions)

    def version(self, version):
        return self.versions.get(version)

    def add(self, record, claim, *, replacing):
        if self.rivals:
            self.rivals -= 1
            self.versions[self.last_version() + 1] = {"training_id": "of a rival"}
        if record["version"] != self.last_version() + 1:
            return False
        self.versions[record["version"]] = record
        return self.claims.put(claim, replacing=replacing)


class TwinRegistry(FakeRegistry):
    """Our own repeated step finishes just before our write."""

    def add(self, record, claim, *, replacing):
        super().add(record, claim, replacing=replacing)
        return False


def repository(claims, registry, approval="automatic"):
    return ModelRepository(
        artefacts=FakeArtefacts(),
        seals=FakeSeals(),
        registry=registry,
        papers=FakePapers(),
        packages=FakePackages(),
        claims=claims,
        ledger=FakeLedger(),
        events=FakeEvents(),
        approval=approval,
        code_commit="c0ffee",
    )


def register(stored, **changes):
    return register_model({**REQUEST, **changes}, "demo", stored, lambda: "now")


@pytest.mark.parametrize(
    ("verdict", "approval", "state"),
    [
        ("promoted", "automatic", "approved"),
        ("promoted", "human", "candidate"),
        ("needs_approval", "automatic", "candidate"),
        ("needs_approval", "human", "candidate"),
        ("rejected", "automatic", "rejected"),
        ("rejected", "human", "rejected"),
    ],
)
def test_a_model_is_born_by_its_verdict_and_the_environment(verdict, approval, state):
    claims = FakeClaims(CLAIM)
    stored = repository(claims, FakeRegistry(claims), approval)
    assert register(stored, verdict=verdict)["state"] == state
    assert stored.packages.mirrored == [1]


def test_a_version_has_a_seal_and_a_card_that_says_what_it_is_for():
    claims = FakeClaims(CLAIM)
    stored = repository(claims, FakeRegistry(claims))
    register(stored)

    record = stored.registry.version(1)
    assert record["seal"] == SEAL
    card = stored.papers.cards[record["card_uri"]]
    assert card["intended_use"] == "to test"
    assert (card["model"]["version"], card["data"]["dataset_id"]) == (1, "d-1")
    assert card["configuration"]["digest"] == "c"
    assert card["code"]["commit"] == record["code_commit"] == "c0ffee"
    assert card["artefact"]["sha256"] == "0" * 64
    assert card["metrics"] == {"auc": 0.75}


def test_a_lost_race_takes_the_next_version():
    claims = FakeClaims(CLAIM)
    stored = repository(claims, FakeRegistry(claims, rivals=3))

    assert register(stored)["version"] == 4
    assert claims.get("t-1").state == TRAINING_REGISTERED


def test_a_step_that_meets_its_twin_gives_the_twins_version():
    claims = FakeClaims(CLAIM)
    stored = repository(claims, TwinRegistry(claims))

    assert register(stored)["version"] == register(stored)["version"] == 1
    assert len(stored.ledger.records) == 3


def test_a_registry_that_never_yields_is_said_to_be_busy():
    claims = FakeClaims(CLAIM)
    with pytest.raises(RegistryBusyError, match="t-1"):
        register(repository(claims, FakeRegistry(claims, rivals=1000)))


@pytest.mark.parametrize(
    "claim", [Claim("t-1", CLAIMED, "another"), Claim("t-1", RELEASED, "me"), None]
)
def test_nothing_is_registered_without_the_claim(claim):
    claims = FakeClaims(claim) if claim else FakeClaims()
    stored = repository(claims, FakeRegistry(claims))

    with pytest.raises(ClaimLostError, match="t-1"):
        register(stored)
    assert stored.registry.versions == {}
    assert stored.ledger.records == []
