"""Batches: named by content, run once, published by who holds the claim."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.claims import CLAIMED, Claim
from lambdas.common.errors import ClaimLostError
from lambdas.data_pipeline.collect_batch.completeness import SourceRules
from lambdas.data_pipeline.collect_batch.logic import Landing, batch_id_of, collect_batch
from lambdas.data_pipeline.contract import BATCH_PUBLISHED, BATCH_REJECTED
from lambdas.data_pipeline.publish_dataset.logic import (
    DatasetRejectedError,
    ReportMismatchError,
    publish_dataset,
)
from lambdas.data_pipeline.reject_batch.logic import reject_batch
from tests.unit.common.fakes import (
    FakeClaims,
    FakeEvents,
    FakeExecutions,
    FakeLedger,
    RacingClaims,
)

RULES = SourceRules(["a", "b"], ["c"], "code-1")
REQUEST = {"batch_id": "b-1", "run_id": "r-1", "execution_arn": "me"}
CLAIM = Claim("b-1", CLAIMED, "me", {"run_id": "r-1", "code_version": "code-1"})
REPORT = {
    "run_id": "r-1",
    "batch_id": "b-1",
    "status": "published",
    "reason": "",
    "sources": {},
    "dataset_id": "d-1",
    "manifest_key": "datasets/d-1/manifest.json",
    "rows": {"train": 1},
    "trainable": True,
}


NOW = "2026-01-01T00:01:00.000Z"


def entry(source, name="file", etag="e", version="v", arrived_at="2026-01-01T00:00:00+00:00"):
    return {
        "source": source,
        "key": f"landing/{source}/{name}",
        "version_id": version,
        "size_bytes": 1,
        "etag": etag,
        "arrived_at": arrived_at,
    }


class FakeRawLake:
    def __init__(self, *objects):
        self.objects = objects
        self.batches = {}

    def landed(self):
        return Landing(self.objects, "2026-01-01T00:00:00.000000#1")

    def write_batch(self, batch):
        self.batches[batch["batch_id"]] = batch
        return f"s3://raw-lake/batches/{batch['batch_id']}.json"


class FakeArrivals:
    """What is known of arrival, in memory."""

    def __init__(self, latest=None):
        self.latest = latest
        self.recorded = []

    def record(self, arrival):
        self.recorded.append(arrival)

    def latest_dataset(self):
        return self.latest


def collect(lake, claims=None, *, rules=RULES, arrivals=None, running=()):
    return collect_batch(
        {"execution_arn": "me"},
        rules,
        lake,
        arrivals or FakeArrivals(),
        claims or FakeClaims(),
        FakeExecutions(*running),
        NOW,
    )


class FakeRunReports:
    def __init__(self, **changes):
        self.report = {**REPORT, **changes}

    def read(self, run_id):
        return {"r-1": self.report}[run_id]

    def rejection(self, run_id):
        return self.report["reason"] if self.report["status"] == "rejected" else None

    def address(self, key):
        return f"s3://model-input/{key}"


class FakeCatalogue:
    """Dataset versions in memory; a rival may take the claim just before the write."""

    def __init__(self, claims, rival=None, latest="d-1"):
        self.claims = claims
        self.rival = rival
        self.latest = latest
        self.published = []

    def publish(self, record, claim, *, replacing):
        if self.rival:
            self.claims.stored[claim.subject] = self.rival
        if not self.claims.put(claim, replacing=replacing):
            return False
        self.published.append(record)
        return True

    def is_latest(self, dataset_id):
        return self.latest == dataset_id


def publish(claims, catalogue, **changes):
    ledger, events = FakeLedger(), FakeEvents()
    answer = publish_dataset(
        REQUEST,
        "demo",
        FakeRunReports(**changes),
        claims,
        catalogue,
        ledger,
        events,
        lambda: "now",
    )
    return answer, ledger.records, events.announced


@given(st.permutations([entry(source, name) for source in "abc" for name in "xy"]))
def test_a_batch_is_named_by_its_content_in_any_order(objects):
    again = [{**landed, "version_id": "another"} for landed in objects]
    assert batch_id_of(objects) == batch_id_of(sorted(again, key=lambda o: o["key"]))


@given(st.integers(0, 2), st.sampled_from(["key", "etag", "source"]))
def test_any_change_of_content_is_another_batch(number, field):
    objects = [entry(source) for source in "abc"]
    changed = [dict(landed) for landed in objects]
    changed[number][field] += "x"
    assert batch_id_of(objects) != batch_id_of(changed)


def test_the_second_of_two_at_once_learns_that_the_batch_is_taken():
    lake = FakeRawLake(entry("a"), entry("b"))
    rival = Claim(batch_id_of(lake.objects), CLAIMED, "rival", {})

    answer = collect(lake, RacingClaims(rival), running=["rival"])

    assert answer["status"] == "taken"
    assert "rival" in answer["detail"]
    assert lake.batches == {}


@pytest.mark.parametrize(("settle_seconds", "status"), [(60, "ready"), (61, "waiting")])
def test_only_the_last_of_several_arrivals_starts_the_run(settle_seconds, status):
    lake = FakeRawLake(entry("a", arrived_at="2025-12-31T00:00:00+00:00"), entry("b"))
    rules = replace(RULES, settle_seconds=settle_seconds)

    answer = collect(lake, rules=rules)

    assert answer["status"] == status
    assert len(lake.batches) == (status == "ready")


def test_a_publication_is_all_that_a_run_claims_it_is():
    claims = FakeClaims(CLAIM)
    catalogue = FakeCatalogue(claims)

    answer, records, announced = publish(claims, catalogue)

    assert answer["manifest_uri"] == "s3://model-input/datasets/d-1/manifest.json"
    assert claims.get("b-1").state == BATCH_PUBLISHED
    assert catalogue.published[0]["code_version"] == "code-1"
    assert records[0]["evidence"]["dataset"] == "d-1"
    assert announced[0][1]["dataset_id"] == "d-1"


@pytest.mark.parametrize(
    ("trainable", "latest", "announced_as"),
    [(True, "d-1", True), (False, "d-1", False), (True, "d-2", False)],
)
def test_only_the_latest_dataset_with_all_splits_is_announced_to_be_trained_on(
    trainable, latest, announced_as
):
    claims = FakeClaims(CLAIM)

    _, _, announced = publish(claims, FakeCatalogue(claims, latest=latest), trainable=trainable)

    assert announced[0][1]["trainable"] is announced_as


def test_a_batch_that_was_published_runs_again_once_another_dataset_became_the_latest():
    lake = FakeRawLake(entry("a"), entry("b"))
    facts = {"code_version": "code-1", "dataset_id": "d-1"}
    published = Claim(batch_id_of(lake.objects), BATCH_PUBLISHED, "earlier", facts)

    same = collect(lake, FakeClaims(published), arrivals=FakeArrivals("d-1"))
    back = collect(lake, FakeClaims(published), arrivals=FakeArrivals("d-2"))

    assert (same["status"], back["status"]) == ("unchanged", "ready")


def test_who_loses_the_claim_while_publishing_publishes_nothing():
    claims = FakeClaims(CLAIM)
    catalogue = FakeCatalogue(claims, rival=Claim("b-1", CLAIMED, "rival"))

    with pytest.raises(ClaimLostError, match="claimed by rival"):
        publish(claims, catalogue)
    assert catalogue.published == []


def test_a_rejected_run_says_its_reason_once_and_with_one_full_stop():
    claims = FakeClaims(CLAIM)
    with pytest.raises(DatasetRejectedError, match=r"contract: no column x\.$"):
        publish(claims, FakeCatalogue(claims), status="rejected", reason="no column x.")


def test_a_report_of_another_batch_is_not_published():
    claims = FakeClaims(CLAIM)
    with pytest.raises(ReportMismatchError, match="b-2"):
        publish(claims, FakeCatalogue(claims), batch_id="b-2")


def test_a_failure_after_publication_does_not_unpublish():
    published = Claim("b-1", BATCH_PUBLISHED, "me", {"dataset_id": "d-1"})
    claims, ledger, events = FakeClaims(published), FakeLedger(), FakeEvents()
    request = {**REQUEST, "error": "EventNotAcceptedError", "cause": "throttled"}

    answer = reject_batch(request, "demo", FakeRunReports(), claims, ledger, events)

    assert answer["outcome"] == "kept"
    assert claims.get("b-1") == published
    assert [record["event_type"] for record in ledger.records] == ["data_run_failed"]
    assert events.announced == []


def test_a_run_that_rejected_its_batch_is_believed_over_how_the_job_ended():
    claims, ledger, events = FakeClaims(CLAIM), FakeLedger(), FakeEvents()
    reports = FakeRunReports(status="rejected", reason="source a has no column x")
    request = {**REQUEST, "error": "States.TaskFailed", "cause": "the job ended with 1"}

    answer = reject_batch(request, "demo", reports, claims, ledger, events)

    assert (answer["outcome"], answer["reason"]) == ("rejected", "source a has no column x")
    assert claims.get("b-1").state == BATCH_REJECTED
    assert events.announced[0][1]["reason"] == "source a has no column x"
