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
from tests.unit.common.fakes import FakeClaims, FakeDocuments, FakeEvents, FakeLedger

CLAIM = Claim("t-1", CLAIMED, "me", {"dataset_id": "d-1"})
REQUEST = {
    "training_id": "t-1",
    "dataset_id": "d-1",
    "config_digest": "c",
    "image_uri": "i",
    "artefact_uri": "s3://m/a",
    "verdict": "promoted",
    "reasons": ["good"],
    "evaluation_uri": "evaluation",
    "execution_arn": "me",
}


class FakeArtefacts:
    def keep(self, uri):
        return StoredArtefact("0" * 64, "m-0", uri, uri)


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


def repository(claims, registry):
    evaluations = FakeDocuments(evaluation={"challenger": {"auc": 0.75}})
    return ModelRepository(
        FakeArtefacts(), registry, evaluations, claims, FakeLedger(), FakeEvents()
    )


def register(stored):
    return register_model(REQUEST, "demo", stored, lambda: "now")


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
