"""The data pipeline's functions through their handlers, on moto."""

from __future__ import annotations

import json

import pytest

from lambdas.common.dynamo_ledger import DynamoLedger
from lambdas.common.ledger import verify_chain

BLOCK = "data_pipeline"


def land(world, *sources):
    for source in sources:
        world.put("raw-lake", f"landing/{source}/file.csv", f"{source}\n1\n".encode())


def collect(world, call, **more):
    event = {"execution_arn": world.execution(running=True), **more}
    return event["execution_arn"], call(BLOCK, "collect_batch", event)


def report_published(world, batch, dataset_id="d-1"):
    world.put(
        "model-input",
        f"runs/{batch['run_id']}/report.json",
        {
            "run_id": batch["run_id"],
            "batch_id": batch["batch_id"],
            "status": "published",
            "reason": "",
            "sources": {},
            "dataset_id": dataset_id,
            "manifest_key": f"datasets/{dataset_id}/manifest.json",
            "rows": {"train": 3},
            "trainable": True,
        },
    )


def report_rejected(world, batch):
    world.put(
        "model-input",
        f"runs/{batch['run_id']}/report.json",
        {
            "run_id": batch["run_id"],
            "batch_id": batch["batch_id"],
            "status": "rejected",
            "reason": "source a has no column x.",
            "sources": {},
        },
    )


def finish(batch, execution):
    return {k: batch[k] for k in ("batch_id", "run_id")} | {"execution_arn": execution}


def test_a_run_waits_for_its_required_sources(world, call):
    land(world, "a", "c")

    _, answer = collect(world, call)

    assert (answer["status"], answer["waiting_for"]) == (
        "waiting",
        [{"source": "b", "period": ""}],
    )


def test_a_batch_lists_the_current_versions_of_all_that_landed(world, call):
    land(world, "a", "b", "c")
    world.put("raw-lake", "landing/a/file.csv", b"newer")
    world.put("raw-lake", "landing/stranger/file.csv", b"x")
    world.put("raw-lake", "landing/a/gone.csv", b"x")
    world.s3.delete_object(Bucket="raw-lake", Key="landing/a/gone.csv")

    _, answer = collect(world, call)

    assert answer["status"] == "ready"
    assert [each["key"] for each in answer["unrecognised"]] == ["landing/stranger/file.csv"]
    batch = json.loads(world.read("raw-lake", answer["batch_uri"].removeprefix("s3://raw-lake/")))
    assert [entry["key"] for entry in batch["objects"]] == [
        f"landing/{source}/file.csv" for source in "abc"
    ]
    newest = world.s3.head_object(Bucket="raw-lake", Key="landing/a/file.csv")["VersionId"]
    assert batch["objects"][0]["version_id"] == newest


def test_a_batch_belongs_to_one_execution_until_that_is_dead(world, call):
    land(world, "a", "b")
    first, owned = collect(world, call)
    _, taken = collect(world, call)
    repeated = call(BLOCK, "collect_batch", {"execution_arn": first})
    world.stepfunctions.stop_execution(executionArn=first)
    _, over = collect(world, call)

    assert [a["status"] for a in (owned, taken, repeated, over)] == [
        "ready",
        "taken",
        "ready",
        "ready",
    ]
    assert repeated["run_id"] == owned["run_id"] != over["run_id"]


def test_a_dataset_is_published_once_however_often_the_step_repeats(world, call):
    land(world, "a", "b")
    execution, batch = collect(world, call)
    report_published(world, batch)

    first = call(BLOCK, "publish_dataset", finish(batch, execution))
    again = call(BLOCK, "publish_dataset", finish(batch, execution))

    assert (
        first
        == again
        == {
            "dataset_id": "d-1",
            "manifest_uri": "s3://model-input/datasets/d-1/manifest.json",
            "rows": {"train": 3},
        }
    )
    assert world.item("metadata", "DATASET#demo", "LATEST")["dataset_id"] == "d-1"
    record = world.item("metadata", "DATASET#demo", "d-1")
    assert record["code_version"] == "code-1"
    assert record["batch_id"] == batch["batch_id"]
    claim = world.item("metadata", "BATCH#demo", batch["batch_id"])
    assert (claim["state"], claim["dataset_id"]) == ("published", "d-1")
    records = list(DynamoLedger(world.dynamodb, "ledger", "demo", str).records())
    assert [r["event_type"] for r in records] == ["dataset_published"]
    assert verify_chain(records) == 1
    name, detail = world.announced()[0]
    assert name == "DatasetPublished"
    assert detail["dataset_id"] == "d-1"
    assert detail["trainable"] is True


def test_what_is_awaited_stands_in_the_metadata_until_it_is_there(world, call):
    land(world, "a")
    collect(world, call)
    awaited = world.item("metadata", "ARRIVAL#demo", "STATE")
    land(world, "b")
    _, batch = collect(world, call)
    complete = world.item("metadata", "ARRIVAL#demo", "STATE")

    assert awaited["waiting_for"] == [{"source": "b", "period": ""}]
    assert awaited["batch_id"] == ""
    assert complete["waiting_for"] == []
    assert complete["batch_id"] == batch["batch_id"]
    assert complete["as_of"] > awaited["as_of"]


def test_an_older_batch_that_ends_late_does_not_become_the_latest(world, call):
    land(world, "a", "b")
    slow, older = collect(world, call)
    land(world, "c")
    quick, newer = collect(world, call)
    report_published(world, newer, "d-2")
    call(BLOCK, "publish_dataset", finish(newer, quick))
    report_published(world, older)
    call(BLOCK, "publish_dataset", finish(older, slow))

    assert world.item("metadata", "DATASET#demo", "LATEST")["dataset_id"] == "d-2"
    assert world.item("metadata", "DATASET#demo", "d-1")["batch_id"] == older["batch_id"]
    assert world.item("metadata", "BATCH#demo", older["batch_id"])["state"] == "published"
    trainable = {detail["dataset_id"]: detail["trainable"] for _, detail in world.announced()}
    assert trainable == {"d-1": False, "d-2": True}


def test_files_that_come_back_while_their_run_is_under_way_become_the_latest(world, call):
    land(world, "a", "b")
    slow, first = collect(world, call)
    world.put("raw-lake", "landing/a/file.csv", b"corrected")
    quick, second = collect(world, call)
    report_published(world, second, "d-2")
    call(BLOCK, "publish_dataset", finish(second, quick))
    land(world, "a")
    _, again = collect(world, call)
    report_published(world, first)
    call(BLOCK, "publish_dataset", finish(first, slow))

    assert (again["status"], again["batch_id"]) == ("taken", first["batch_id"])
    assert world.item("metadata", "DATASET#demo", "LATEST")["dataset_id"] == "d-1"


def test_what_is_published_is_unchanged_unless_forced_or_the_code_changed(world, call, monkeypatch):
    land(world, "a", "b")
    execution, batch = collect(world, call)
    report_published(world, batch)
    call(BLOCK, "publish_dataset", finish(batch, execution))

    _, unchanged = collect(world, call)
    assert unchanged["status"] == "unchanged"
    assert "d-1" in unchanged["detail"]

    monkeypatch.setenv("CODE_VERSION", "code-2")
    _, new_code = collect(world, call)
    assert new_code["status"] == "ready"


def test_a_rejected_batch_says_why_until_it_is_forced(world, call):
    land(world, "a", "b")
    execution, batch = collect(world, call)
    report_rejected(world, batch)

    with pytest.raises(Exception, match="source a has no column x") as failure:
        call(BLOCK, "publish_dataset", finish(batch, execution))
    error = type(failure.value).__name__
    cause = json.dumps({"errorMessage": str(failure.value), "errorType": error})
    outcome = call(
        BLOCK, "reject_batch", {**finish(batch, execution), "error": error, "cause": cause}
    )
    _, later = collect(world, call)
    _, forced = collect(world, call, force=True)

    assert outcome["outcome"] == "rejected"
    assert outcome["reason"] == "source a has no column x."
    assert later["status"] == "unchanged"
    assert "source a has no column x" in later["detail"]
    assert forced["status"] == "ready"
    assert world.announced()[0][0] == "DatasetRejected"


def test_a_broken_run_gives_its_batch_back(world, call):
    land(world, "a", "b")
    execution, batch = collect(world, call)
    failed = {"error": "Glue.ConcurrentRunsExceededException", "cause": "too many runs"}

    outcome = call(BLOCK, "reject_batch", {**finish(batch, execution), **failed})
    _, later = collect(world, call)

    assert outcome["outcome"] == "released"
    assert later["status"] == "ready"


def test_who_lost_the_claim_neither_publishes_nor_rejects(world, call):
    land(world, "a", "b")
    first, batch = collect(world, call)
    world.stepfunctions.stop_execution(executionArn=first)
    second, _ = collect(world, call)
    report_published(world, batch)

    with pytest.raises(Exception, match="not held by"):
        call(BLOCK, "publish_dataset", finish(batch, first))
    outcome = call(
        BLOCK, "reject_batch", {**finish(batch, first), "error": "States.Timeout", "cause": ""}
    )

    assert outcome["outcome"] == "kept"
    claim = world.item("metadata", "BATCH#demo", batch["batch_id"])
    assert (claim["state"], claim["execution_arn"]) == ("claimed", second)
